import { beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { lacks, root, run, temporaryFile, toolsFolder, version } from "./tools.ts";

/** A resource of Kubernetes, as far as the tests look; kustomize and the schemas check the rest. */
interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { labels: object };
  spec?: {
    template?: { metadata: { labels: object }; spec: Pod };
    selector?: object;
    podSelector?: object;
    scaleTargetRef?: object;
    ingress?: object;
    egress?: object;
  };
  data: Record<string, string>;
}
interface Pod {
  terminationGracePeriodSeconds: number;
  containers: [
    { resources: { limits: object }; readinessProbe: { periodSeconds: number; failureThreshold: number } },
  ];
}

describe.skipIf(lacks("kubectl", "kubernetes-validate"))("deploy/kubernetes", () => {
  let resources: Resource[];
  let pod: Pod;
  let settings: Record<string, string>;
  beforeAll(async () => {
    const manifests = await kustomize("overlays/production");
    resources = parseAllDocuments(manifests).map((document) => document.toJS() as Resource);
    for (const { kind, data, spec } of resources) {
      if (kind === "ConfigMap") settings = data;
      if (kind === "Deployment" && spec?.template) pod = spec.template.spec;
    }
  });

  test.each(["base", "overlays/production"])(
    "%s is what Kubernetes' schemas allow",
    async (folder) => {
      const file = temporaryFile("manifests.yaml", await kustomize(folder));
      await expect(run("kubernetes-validate", "--strict", "--quiet", file)).resolves.toBeDefined();
    },
    60_000,
  );

  /**
   * The operator's definitions come as TypeScript's types, which know every field, and as validators, which know every
   * format: a program of the manifests is held against both.
   */
  test("has for the Prometheus operator what its definitions allow", async () => {
    const models = `${toolsFolder}/node_modules/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1`;
    const ours = resources.filter(({ apiVersion }) => apiVersion === "monitoring.coreos.com/v1");
    expect(ours.map(({ kind }) => kind)).toEqual(["PrometheusRule", "ServiceMonitor"]);
    const program = ours.map(
      ({ kind, metadata, spec }) =>
        `import { ${kind} } from "${models}/${kind}.js";\nnew ${kind}(${JSON.stringify({ metadata, spec })}).validate();\n`,
    );
    const file = temporaryFile("operator.mjs", program.join(""));
    const options = "--ignoreConfig --noEmit --allowJs --checkJs --strict --skipLibCheck --module nodenext";
    await run("node", `${root}node_modules/typescript/bin/tsc`, ...options.split(" "), file);
    await expect(run("node", file)).resolves.toBe("");
  }, 60_000);

  test("selects its own pods, and nobody else's", () => {
    const labels = { "app.kubernetes.io/name": "authentik-graphql" };
    const pods = { matchLabels: labels };
    const selected = resources.map(({ kind, spec }) => [
      kind,
      spec?.selector ?? spec?.podSelector ?? spec?.scaleTargetRef,
    ]);
    expect(Object.fromEntries(selected)).toEqual({
      Deployment: pods,
      Service: labels,
      ServiceMonitor: pods,
      PodDisruptionBudget: pods,
      NetworkPolicy: pods,
      HorizontalPodAutoscaler: { apiVersion: "apps/v1", kind: "Deployment", name: "authentik-graphql" },
    });
    for (const { metadata, spec } of resources) {
      expect([metadata.labels, spec?.template?.metadata.labels ?? labels]).toEqual([labels, labels]);
      // Those whom it talks to are others.
      expect(JSON.stringify([spec?.ingress, spec?.egress])).not.toContain("app.kubernetes.io/name");
    }
  });

  test("lets a pod end by itself before it is killed, and serves until it is out of the endpoints", () => {
    const [{ readinessProbe }] = pod.containers;
    const graceMs = Number(settings["DRAIN_GRACE_MS"]);
    const timeoutMs = Number(settings["DRAIN_TIMEOUT_MS"]);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(graceMs + timeoutMs);
    expect(graceMs).toBeGreaterThan(readinessProbe.periodSeconds * readinessProbe.failureThreshold * 1000);
  });

  test("passes the restricted standard for pods, limits memory but not CPU, and runs package.json's version", () => {
    const restricted = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
    expect(pod).toMatchObject({ securityContext: restricted });
    expect(pod.containers[0]).toMatchObject({
      image: expect.stringMatching(new RegExp(`:${version}$`)),
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    });
    expect(Object.keys(pod.containers[0].resources.limits)).toEqual(["memory"]);
  });
});

/** What `kubectl apply --kustomize` would send. */
const kustomize = (folder: string) => run("kubectl", "kustomize", `deploy/kubernetes/${folder}`);
