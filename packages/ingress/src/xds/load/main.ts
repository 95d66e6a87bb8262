/**
 * Many Envoys in one process, for drills: a line of JSON on standard input says what they are to do, and each deed is
 * answered by a line on standard output. Ends with its standard input.
 *
 *   {"do":"open","count":100,"clusters":1000}   connected, and each has that many clusters with endpoints
 *   {"do":"await","service":"shop/a"}           answered at once, and once more when all have other endpoints of it
 *   {"do":"reopen"}                             all streams end and come back with what they have
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type ChannelOptions, Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import { EnvoyLike } from './envoy-like.ts'

type Deed =
  | { readonly do: 'open'; readonly count: number; readonly clusters: number }
  | { readonly do: 'await'; readonly service: string }
  | { readonly do: 'reopen' }

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
const [server = '', certs = ''] = process.argv.slice(2)
const options: ChannelOptions = {
  'grpc.ssl_target_name_override': 'contour',
  'grpc.default_authority': 'contour',
  'grpc.max_receive_message_length': -1,
  // A connection each, as Envoys have.
  'grpc.use_local_subchannel_pool': 1,
}
const file = (name: string) => readFileSync(`${certs}/${name}.pem`)
const secure = credentials.createSsl(file('cacert'), file('envoykey'), file('envoycert'))
const bytes = (buffer: Buffer) => buffer
const retryMs = 500
/** Streams that ended without being asked to. */
let broken = 0

class Follower {
  readonly state: EnvoyLike
  #channel: Client | undefined
  #call: ClientDuplexStream<Buffer, Buffer> | undefined
  #look: () => void = () => undefined
  constructor(id: string) {
    this.state = new EnvoyLike(id)
  }

  open(): void {
    const channel = new Client(server, secure, options)
    const call = channel.makeBidiStreamRequest(path, bytes, bytes)
    this.#channel = channel
    this.#call = call
    call.on('data', (answer: Buffer) => {
      for (const reply of this.state.take(answer).replies) call.write(reply)
      this.#look()
    })
    call.on('error', () => {
      if (call !== this.#call) return
      this.close()
      broken++
      setTimeout(() => this.open(), retryMs)
    })
    for (const request of this.state.first()) call.write(request)
  }

  close(): void {
    const call = this.#call
    this.#call = undefined
    call?.cancel()
    this.#channel?.close()
  }

  /** Resolves when it is so. */
  until(isIt: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (!isIt()) return
        this.#look = () => undefined
        resolve()
      }
      this.#look()
    })
  }
}

const followers: Follower[] = []

function say(line: object): void {
  process.stdout.write(
    `${JSON.stringify({ ...line, broken, at: performance.timeOrigin + performance.now() })}\n`,
  )
}

async function open({ count, clusters }: Deed & { readonly do: 'open' }): Promise<void> {
  const added = Array.from({ length: count }, (_, n) => new Follower(`envoy-${followers.length + n}`))
  followers.push(...added)
  for (const follower of added) follower.open()
  await Promise.all(added.map((one) => one.until(() => one.state.held('endpoints').size >= clusters)))
  say({ event: 'opened', count: followers.length })
}

async function awaitChange(service: string): Promise<void> {
  const changed = followers.map((one) => {
    const name =
      [...one.state.held('endpoints').keys()].find((known) => known.startsWith(`${service}/`)) ?? ''
    const before = one.state.held('endpoints').get(name)
    return one.until(() => one.state.held('endpoints').get(name) !== before)
  })
  say({ event: 'awaiting' })
  await Promise.all(changed)
  say({ event: 'reached' })
}

/** They are served again once they hear of a change: until then there is nothing to tell them. */
function reopen(): void {
  for (const follower of followers) follower.close()
  for (const follower of followers) follower.open()
  say({ event: 'reopened' })
}

async function act(deed: Deed): Promise<void> {
  if (deed.do === 'open') await open(deed)
  else if (deed.do === 'await') await awaitChange(deed.service)
  else reopen()
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const deed: Deed = JSON.parse(line)
    void act(deed)
  })
  .once('close', () => process.exit())
