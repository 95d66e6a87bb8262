// Service account tokens of one pod, from the TokenRequest API, bound to the pod and renewed at four
// fifths of their life.
import type { ApiClient } from '../api/api-client.ts'
import type { Pod, ProjectedSource } from '../api/pod.ts'

const DEFAULT_SECONDS = 3600
const RETRY_MS = 1000

export class PodTokens {
  readonly #client: ApiClient
  readonly #pod: Pod
  readonly #onChange: () => void
  readonly #tokens = new Map<string, string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #stopped = false

  constructor(client: ApiClient, pod: Pod, onChange: () => void) {
    this.#client = client
    this.#pod = pod
    this.#onChange = onChange
    for (const volume of pod.spec.volumes ?? []) {
      for (const source of volume.projected?.sources ?? []) {
        if (source.serviceAccountToken !== undefined) void this.#fetch(source)
      }
    }
  }

  get(source: ProjectedSource): string | undefined {
    return this.#tokens.get(keyOf(source))
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  async #fetch(source: ProjectedSource): Promise<void> {
    const seconds = source.serviceAccountToken?.expirationSeconds ?? DEFAULT_SECONDS
    const audience = source.serviceAccountToken?.audience
    const { namespace, name, uid } = this.#pod.metadata
    const account = this.#pod.spec.serviceAccountName ?? 'default'
    let again = RETRY_MS
    try {
      const answer = await this.#client.request<{ readonly status: { readonly token: string } }>({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {
            ...(audience === undefined ? {} : { audiences: [audience] }),
            expirationSeconds: seconds,
            boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
          },
        },
      })
      this.#tokens.set(keyOf(source), answer.status.token)
      again = seconds * 800
    } catch {
      // The volume stays as it is, or says that it has no token yet, until the next try.
    }
    if (this.#stopped) return
    this.#timers.set(
      keyOf(source),
      setTimeout(() => void this.#fetch(source), again),
    )
    this.#onChange()
  }
}

function keyOf(source: ProjectedSource): string {
  const { path = '', audience = '', expirationSeconds = DEFAULT_SECONDS } = source.serviceAccountToken ?? {}
  return `${audience} ${expirationSeconds} ${path}`
}
