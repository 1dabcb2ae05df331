import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kustomize, lacks, type Manifest, root, run, temporaryFile } from "./tools.ts";

const overlays = readdirSync(`${root}deploy/kubernetes/overlays`).map((name) => `overlays/${name}`);

describe.skipIf(lacks("kubectl", "kubernetes-validate"))("deploy/kubernetes", () => {
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

  it("lets a pod end by itself before it is killed", async () => {
    const { DRAIN_GRACE_MS, DRAIN_TIMEOUT_MS } = configuration(await production());
    const { terminationGracePeriodSeconds } = podOf(await production());
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      Number(DRAIN_GRACE_MS) + Number(DRAIN_TIMEOUT_MS),
    );
  });

  it("takes a pod that ends out of the endpoints while it still serves", async () => {
    const { DRAIN_GRACE_MS } = configuration(await production());
    const { periodSeconds, failureThreshold } = containerOf(await production()).readinessProbe;
    expect(Number(DRAIN_GRACE_MS)).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
  });

  it("passes the restricted standard for pods", async () => {
    const { securityContext: pod } = podOf(await production());
    const { securityContext: container } = containerOf(await production());
    expect(pod).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(container).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("limits memory, not CPU", async () => {
    const { limits, requests } = containerOf(await production()).resources;
    expect(Object.keys(limits)).toEqual(["memory"]);
    expect(Object.keys(requests)).toEqual(["cpu", "memory"]);
  });

  it("runs the version that package.json names", async () => {
    const { version } = parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }; // npm's own file
    expect(containerOf(await production()).image).toMatch(new RegExp(`:${version}$`));
  });

  it("brings all that belongs to it", async () => {
    const kinds = (await production()).map(({ kind }) => kind);
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

async function production(): Promise<readonly Manifest[]> {
  return (await kustomize("deploy/kubernetes/overlays/production")).manifests;
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
