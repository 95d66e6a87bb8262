// The cluster's API as tests use it, through kubectl in the control plane's namespace.
import { type CommandOptions, type CommandResult, run, tryRun } from '../host/command.ts'
import { inNetns } from '../host/netns.ts'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

/** What stands in manifests: only kind, version and name are sure. */
export type Manifest = Readonly<Record<string, unknown>>

export class LabCluster {
  readonly #prefix: readonly string[]

  constructor(o: {
    readonly kubectl: string
    readonly kubeconfig: string
    readonly cache: string
    readonly netns: string
  }) {
    this.#prefix = inNetns(o.netns, [o.kubectl, `--kubeconfig=${o.kubeconfig}`, `--cache-dir=${o.cache}`])
  }

  argv(args: readonly string[]): readonly string[] {
    return [...this.#prefix, ...args]
  }

  async kubectl(args: readonly string[], o?: CommandOptions): Promise<string> {
    return await run(this.argv(args), o)
  }

  async tryKubectl(args: readonly string[], o?: CommandOptions): Promise<CommandResult> {
    return await tryRun(this.argv(args), o)
  }

  /** Objects, or YAML text as it stands in a file. */
  async apply(manifests: string | readonly Manifest[]): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], { input: asText(manifests) })
  }

  async delete(manifests: string | readonly Manifest[]): Promise<void> {
    await this.kubectl(['delete', '--ignore-not-found', '-f', '-'], { input: asText(manifests) })
  }

  /** The object, or undefined when there is none of this name. `kind` as kubectl takes it. */
  async get<T extends KubernetesObject>(
    kind: string,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    const text = await this.kubectl([
      'get',
      kind,
      name,
      ...inside(namespace),
      '--ignore-not-found',
      '-o',
      'json',
    ])
    return text.trim() === '' ? undefined : JSON.parse(text)
  }

  /** All namespaces when none is given. */
  async list<T extends KubernetesObject>(
    kind: string,
    o: { readonly namespace?: string; readonly selector?: string } = {},
  ): Promise<readonly T[]> {
    const where = o.namespace === undefined ? ['--all-namespaces'] : inside(o.namespace)
    const selector = o.selector === undefined ? [] : ['-l', o.selector]
    const list: { readonly items: readonly T[] } = JSON.parse(
      await this.kubectl(['get', kind, ...where, ...selector, '-o', 'json']),
    )
    return list.items
  }
}

function inside(namespace: string | undefined): readonly string[] {
  return namespace === undefined ? [] : ['-n', namespace]
}

function asText(manifests: string | readonly Manifest[]): string {
  return typeof manifests === 'string'
    ? manifests
    : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests })
}
