import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { lacks, root, run, temporaryFile, toolsFolder, version } from "./tools.ts";

/** A resource of Kubernetes, as far as the tests look. */
interface Resource {
  apiVersion: string;
  kind: string;
  metadata: object;
  spec: { template: { spec: Pod } };
  data: Record<string, string>;
}
interface Pod {
  terminationGracePeriodSeconds: number;
  securityContext: unknown;
  containers: [Container];
}
interface Container {
  image: string;
  readinessProbe: { periodSeconds: number; failureThreshold: number };
  resources: { limits: object; requests: object };
  securityContext: unknown;
}

const overlays = readdirSync(`${root}deploy/kubernetes/overlays`).map((name) => `overlays/${name}`);

/** What `kubectl apply --kustomize` would send. */
const kustomize = (folder: string) => run("kubectl", "kustomize", `deploy/kubernetes/${folder}`);

function resourcesOf(manifests: string): Resource[] {
  return parseAllDocuments(manifests).map((document) => document.toJS() as Resource); // kustomize checks its shape
}

describe.skipIf(lacks("kubectl", "kubernetes-validate"))("deploy/kubernetes", () => {
  let text: string;
  let resources: Resource[];
  let pod: Pod;
  let container: Container;
  let settings: Record<string, string>;
  beforeAll(async () => {
    text = await kustomize("overlays/production");
    resources = resourcesOf(text);
    for (const { kind, data, spec } of resources) {
      if (kind === "ConfigMap") settings = data;
      if (kind === "Deployment") pod = spec.template.spec;
    }
    [container] = pod.containers;
  });

  it.each(["base", ...overlays])(
    "%s is what Kubernetes' schemas allow",
    async (folder) => {
      const file = temporaryFile("manifests.yaml", await kustomize(folder));
      await expect(run("kubernetes-validate", "--strict", "--quiet", file)).resolves.toBeDefined();
    },
    60_000,
  );

  it("has for the Prometheus operator what its definitions allow", async () => {
    await expect(checkForOperator(text)).resolves.toBeDefined();
    const broken: readonly (readonly [manifests: string, complaint: RegExp])[] = [
      [text.replace("scrapeTimeout:", "scrapeTimeOut:"), /"scrapeTimeOut"' does not exist/],
      [text.replace("interval: 15s", "interval: 15 s"), /interval must match pattern/],
      [text.replace(/^ +expr: max .*\n/m, ""), /'"?expr"?' is missing/],
    ];
    await Promise.all(
      broken.map(([manifests, complaint]) => expect(checkForOperator(manifests)).rejects.toThrow(complaint)),
    );
  }, 60_000);

  it("lets a pod end by itself before it is killed", () => {
    const endMs = Number(settings["DRAIN_GRACE_MS"]) + Number(settings["DRAIN_TIMEOUT_MS"]);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(endMs);
  });

  it("takes a pod that ends out of the endpoints while it still serves", () => {
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(Number(settings["DRAIN_GRACE_MS"])).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
  });

  it("passes the restricted standard for pods", () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("limits memory, not CPU", () => {
    expect(Object.keys(container.resources.limits)).toEqual(["memory"]);
    expect(Object.keys(container.resources.requests)).toEqual(["cpu", "memory"]);
  });

  it("runs the version that package.json names", () => {
    expect(container.image).toMatch(new RegExp(`:${version}$`));
  });

  it("brings all that belongs to it", () => {
    const policies = ["HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"];
    const monitoring = ["PrometheusRule", "ServiceMonitor"];
    const kinds = ["ConfigMap", "Deployment", "Service", ...policies, ...monitoring];
    expect(resources.map(({ kind }) => kind).sort()).toEqual(kinds.sort());
  });
});

/**
 * The operator's definitions come as TypeScript's types, which know every field, and as validators, which know every
 * format: a program of the manifests is held against both.
 */
async function checkForOperator(manifests: string): Promise<string> {
  const models = `${toolsFolder}/node_modules/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1`;
  const ours = resourcesOf(manifests).filter(({ apiVersion }) => apiVersion === "monitoring.coreos.com/v1");
  expect(ours.map(({ kind }) => kind)).toEqual(["PrometheusRule", "ServiceMonitor"]);
  const program = ours.map(
    ({ kind, metadata, spec }) =>
      `import { ${kind} } from "${models}/${kind}.js";\nnew ${kind}(${JSON.stringify({ metadata, spec })}).validate();\n`,
  );
  const file = temporaryFile("operator.mjs", program.join(""));
  const options = "--ignoreConfig --noEmit --allowJs --checkJs --strict --skipLibCheck --module nodenext";
  await run("node", `${root}node_modules/typescript/bin/tsc`, ...options.split(" "), file);
  return run("node", file);
}
