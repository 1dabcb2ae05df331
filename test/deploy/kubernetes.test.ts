import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { kustomize, lacks, type Manifest, root, run, temporaryFile, toolsFolder } from "./tools.ts";

const overlays = readdirSync(`${root}deploy/kubernetes/overlays`).map((name) => `overlays/${name}`);

describe.skipIf(lacks("kubectl", "kubernetes-validate"))("deploy/kubernetes", () => {
  let production: { text: string; manifests: readonly Manifest[] };
  beforeAll(async () => {
    production = await kustomize("deploy/kubernetes/overlays/production");
  });

  it.each(["base", ...overlays])(
    "%s is what Kubernetes' schemas allow",
    async (folder) => {
      const { text } = await kustomize(`deploy/kubernetes/${folder}`);
      const validated = run(
        "kubernetes-validate",
        "--strict",
        "--quiet",
        temporaryFile("manifests.yaml", text),
      );
      await expect(validated).resolves.toBeDefined();
    },
    60_000,
  );

  it("has for the Prometheus operator what its definitions allow", async () => {
    const { text } = production;
    const broken: readonly (readonly [manifests: string, complaint: RegExp])[] = [
      [text.replace("scrapeTimeout:", "scrapeTimeOut:"), /"scrapeTimeOut"' does not exist/],
      [text.replace("interval: 15s", "interval: 15 s"), /interval must match pattern/],
      [text.replace(/^ +expr: max .*\n/m, ""), /'"?expr"?' is missing/],
    ];
    await Promise.all([
      expect(checkForOperator(text)).resolves.toBeDefined(),
      ...broken.map(([manifests, complaint]) =>
        expect(checkForOperator(manifests)).rejects.toThrow(complaint),
      ),
    ]);
  }, 60_000);

  it("lets a pod end by itself before it is killed", () => {
    const { DRAIN_GRACE_MS, DRAIN_TIMEOUT_MS } = configuration(production.manifests);
    const { terminationGracePeriodSeconds } = podOf(production.manifests);
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      Number(DRAIN_GRACE_MS) + Number(DRAIN_TIMEOUT_MS),
    );
  });

  it("takes a pod that ends out of the endpoints while it still serves", () => {
    const { DRAIN_GRACE_MS } = configuration(production.manifests);
    const { periodSeconds, failureThreshold } = containerOf(production.manifests).readinessProbe;
    expect(Number(DRAIN_GRACE_MS)).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
  });

  it("passes the restricted standard for pods", () => {
    const { securityContext: pod } = podOf(production.manifests);
    const { securityContext: container } = containerOf(production.manifests);
    expect(pod).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(container).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("limits memory, not CPU", () => {
    const { limits, requests } = containerOf(production.manifests).resources;
    expect(Object.keys(limits)).toEqual(["memory"]);
    expect(Object.keys(requests)).toEqual(["cpu", "memory"]);
  });

  it("runs the version that package.json names", () => {
    const { version } = parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }; // npm's own file
    expect(containerOf(production.manifests).image).toMatch(new RegExp(`:${version}$`));
  });

  it("brings all that belongs to it", () => {
    const kinds = production.manifests.map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual([
      "ConfigMap",
      "Deployment",
      "HorizontalPodAutoscaler",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "PrometheusRule",
      "Service",
      "ServiceMonitor",
    ]);
  });
});

/**
 * The operator's definitions come as TypeScript's types, which know every field, and as validators, which know every
 * format: a program of the manifests is held against both.
 */
async function checkForOperator(manifests: string): Promise<string> {
  const models = `${toolsFolder}/node_modules/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1`;
  const ours = parseAllDocuments(manifests)
    .map((document) => document.toJS() as Manifest) // kustomize wrote it
    .filter(({ apiVersion }) => apiVersion === "monitoring.coreos.com/v1");
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

function configuration(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  return manifests.find(({ kind }) => kind === "ConfigMap")?.data ?? {};
}

interface Container {
  image: string;
  readinessProbe: { periodSeconds: number; failureThreshold: number };
  resources: { limits: Record<string, string>; requests: Record<string, string> };
  securityContext: unknown;
}
interface Pod {
  terminationGracePeriodSeconds: number;
  securityContext: unknown;
  containers: [Container];
}

function podOf(manifests: readonly Manifest[]): Pod {
  const spec = manifests.find(({ kind }) => kind === "Deployment")?.spec;
  if (spec === undefined) throw new Error("there is no Deployment");
  return (spec as { template: { spec: Pod } }).template.spec; // the first test holds its shape
}

function containerOf(manifests: readonly Manifest[]): Container {
  return podOf(manifests).containers[0];
}
