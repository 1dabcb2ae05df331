import tls from "node:tls";

/**
 * The certificate authorities Node trusts by default plus those in `caPem`.
 *
 * undici's and Node's `ca` option replaces the defaults, so they have to be repeated. Where Node can tell its effective
 * defaults (22.15 and later, with `NODE_EXTRA_CA_CERTS` and the system store) those are used, else its bundled list.
 */
export function trustedCertificates(caPem: string): string[] {
  const modern: typeof tls & { getCACertificates?: (kind: "default") => string[] } = tls;
  return [...(modern.getCACertificates?.("default") ?? tls.rootCertificates), caPem];
}
