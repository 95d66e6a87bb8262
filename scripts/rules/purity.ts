/**
 * Which code is pure, and what pure code may not touch (ARCHITECTURE.md, rule 1). Pure code decides; it reads no
 * clock, no random source, no environment and no file, so that the same world gives the same answer everywhere.
 */

/** Folders and files, from the root. Tests beside pure code are not held to it. */
export const pureAreas: readonly string[] = [
  'packages/netip/src/',
  'packages/api/src/',
  'packages/metallb/src/',
  'packages/manifests/src/',
  'packages/lokocfg/src/components/',
  'packages/lokocfg/src/evaluation/',
  'packages/lokocfg/src/lokocfg.ts',
  'packages/lokocfg/src/problem.ts',
  'packages/lokocfg/src/render.ts',
  'packages/lokocfg/src/syntax/body.ts',
  'packages/lokocfg/src/syntax/expression.ts',
  'packages/lokocfg/src/syntax/scanner.ts',
  'packages/lokocfg/src/syntax/source.ts',
  'packages/kube/src/model/',
  'packages/envoy-types/src/',
  'packages/lb/src/allocation/',
  'packages/lb/src/webhook/material.ts',
  'packages/lb/src/webhook/registration.ts',
  'packages/lb/src/webhook/review.ts',
  'packages/speaker/src/plan/',
  'packages/speaker/src/bfd/codec/',
  'packages/speaker/src/bfd/fsm/',
  'packages/speaker/src/bgp/codec/',
  'packages/speaker/src/bgp/fsm/',
  'packages/speaker/src/bgp/rib/',
  'packages/speaker/src/bgp/discovery/router-advertisement.ts',
  'packages/speaker/src/layer2/codec/',
  'packages/speaker/src/layer2/core/',
  'packages/diagnosis/src/facts/',
  'packages/diagnosis/src/status/',
  'packages/diagnosis/src/text/',
  'packages/diagnosis/src/trace/',
  'packages/ingress/src/model/',
  'packages/ingress/src/configuration/',
  'packages/ingress/src/debug/',
  'packages/ingress/src/dag/',
  'packages/ingress/src/envoy/',
  'packages/ingress/src/engine/',
  'packages/ingress/src/routing/',
  'packages/ingress/src/xds/resource.ts',
  'packages/ingress/src/xds/session/',
]

/** Libraries that compute and nothing else. */
export const pureLibraries: readonly string[] = ['typebox', '@bufbuild/protobuf', 're2js', 'yaml']

/** Hashing is the one thing of Node that pure code may use. */
export const pureBuiltins: readonly string[] = ['node:crypto']

export const impureGlobals: readonly string[] = [
  'process',
  'console',
  'performance',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'globalThis',
]

/** `object.member` reads that depend on when or where they run. */
export const impureMembers: readonly string[] = [
  'Date.now',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]

/** What of node:crypto counts as hashing. */
export const pureCryptoNames: readonly string[] = [
  'createHash',
  'createHmac',
  'hash',
  'X509Certificate',
  'createPrivateKey',
  'createPublicKey',
  'JsonWebKey',
]

export function isPure(file: string): boolean {
  return !file.endsWith('.test.ts') && pureAreas.some((area) => file.startsWith(area))
}
