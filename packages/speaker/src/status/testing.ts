/** For tests: an API server with one kind's objects in it, which tells of each change and counts the writes. */
import type { RawObject } from '@landfall/kube'
import {
  FakeApiServer,
  type FakeReply,
  type FakeRequest,
  type FakeWatch,
  statusOf,
} from '@landfall/kube/testing'

export class ObjectsApi {
  readonly server: FakeApiServer
  readonly objects = new Map<string, RawObject>()
  /** As `POST l2-1`, `PUT l2-1`, `DELETE l2-1`. */
  writes: string[] = []
  /** What a write is answered with instead; undefined: it is carried out. */
  refusal: number | undefined
  /** What the deletion of many at once is answered with instead. */
  refusalOfMany: number | 'silence' | undefined
  /** Fields of a status that the definition does not know. */
  pruned: readonly string[] = []
  #version = 1
  #watch: FakeWatch | undefined

  constructor() {
    this.server = new FakeApiServer((request) => this.#answer(request))
  }

  async listen(): Promise<void> {
    await this.server.listen()
    void this.server.nextWatch().then((watch) => {
      this.#watch = watch
    })
  }

  /** Somebody else's write. */
  put(object: RawObject): void {
    const known = this.objects.has(object.metadata.name)
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.objects.set(object.metadata.name, stored)
    void this.#watch?.send({ type: known ? 'MODIFIED' : 'ADDED', object: stored })
  }

  remove(name: string): void {
    const object = this.objects.get(name)
    this.objects.delete(name)
    if (object !== undefined) void this.#watch?.send({ type: 'DELETED', object })
  }

  /** The status of each object, by name. */
  statuses(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.objects].map(([name, { status }]) => [name, status]))
  }

  #answer({ method, path, query, body }: FakeRequest): FakeReply | 'silence' | undefined {
    const failed = (code: number) => ({ status: code, body: statusOf(code, String(code)) })
    if (query.get('sendInitialEvents') === 'true') return failed(400)
    if (query.has('watch')) return undefined
    if (method !== 'GET' && this.refusal !== undefined) return failed(this.refusal)
    const parts = path.split('/')
    const name = parts.at(-1) === 'status' ? parts.at(-2) : parts.at(-1)
    if (method === 'POST') return this.#create(body)
    if (path.endsWith('s') && method === 'GET' && parts.length === 7)
      return {
        body: { metadata: { resourceVersion: String(this.#version) }, items: [...this.objects.values()] },
      }
    if (method === 'DELETE' && parts.length === 7) {
      const { refusalOfMany } = this
      if (refusalOfMany === undefined) return this.#removeSelected(query.get('labelSelector') ?? '')
      return refusalOfMany === 'silence' ? 'silence' : failed(refusalOfMany)
    }
    const object = this.objects.get(name ?? '')
    if (name === undefined || object === undefined) return failed(404)
    if (method === 'GET') return { body: object }
    this.writes.push(`${method} ${name}`)
    if (method === 'DELETE') this.remove(name)
    else this.put(this.#known(body))
    return { body: this.objects.get(name) ?? {} }
  }

  #create(body: unknown): FakeReply {
    const object = body as RawObject
    const { name } = object.metadata
    if (this.objects.has(name)) return { status: 409, body: statusOf(409, 'AlreadyExists') }
    this.writes.push(`POST ${name}`)
    this.put({ ...object, metadata: { ...object.metadata, uid: `uid-${name}` } })
    return { status: 201, body: this.objects.get(name) }
  }

  #removeSelected(selector: string): FakeReply {
    this.writes.push(`DELETE ${selector}`)
    const [label = '', value] = selector.split('=')
    for (const [name, { metadata }] of this.objects) if (metadata.labels?.[label] === value) this.remove(name)
    return { body: {} }
  }

  #known(body: unknown): RawObject {
    const object = body as RawObject & { readonly status?: object }
    const kept = Object.entries(object.status ?? {}).filter(([field]) => !this.pruned.includes(field))
    return { ...object, status: Object.fromEntries(kept) }
  }
}
