/**
 * The desired states, one a layout. A layout other than `scoped` is wanted from the first client that needs it until
 * a while after the last has left; in between its owner publishes it.
 */
import { type Layout, layouts } from './layout.ts'
import { Hub, type HubEvents } from './session/hub.ts'

/** An Envoy that is restarted finds its layout still there, and what Envoys of its build refused withheld. */
const lingerMs = 60_000

export interface HubsEvents {
  readonly hub: (layout: Layout) => HubEvents
  /** A layout has its first client, or none any more. */
  readonly onWanted: (layout: Layout, wanted: boolean) => void
}

interface Entry {
  readonly hub: Hub
  published: boolean
  timer: NodeJS.Timeout | undefined
  /** Of builds of Envoy that are away. */
  readonly away: Map<string, NodeJS.Timeout>
}

export class Hubs {
  readonly #events: HubsEvents
  readonly #entries = new Map<Layout, Entry>()

  constructor(events: HubsEvents) {
    this.#events = events
    this.#open('scoped')
  }

  /** Layouts that somebody follows, and `scoped`. */
  get wanted(): readonly Layout[] {
    return layouts.filter((layout) => this.#entries.has(layout))
  }

  /** The hub that a client of the layout is to be connected to. */
  join(layout: Layout): Hub {
    const known = this.#entries.get(layout)
    clearTimeout(known?.timer)
    if (known !== undefined) return known.hub
    const { hub } = this.#open(layout)
    this.#events.onWanted(layout, true)
    return hub
  }

  /** A client of the build has left. */
  leave(layout: Layout, build: string): void {
    const entry = this.#entries.get(layout)
    if (entry === undefined) return
    const { hub, away } = entry
    if (hub.isAway(build)) {
      clearTimeout(away.get(build))
      away.set(build, setTimeout(() => hub.left(build), lingerMs).unref())
    }
    if (layout === 'scoped' || hub.clients.size > 0) return
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => {
      this.#entries.delete(layout)
      this.#events.onWanted(layout, false)
    }, lingerMs)
    entry.timer.unref()
  }

  /** Undefined when nobody wants the layout. */
  get(layout: Layout): Hub | undefined {
    return this.#entries.get(layout)?.hub
  }

  isPublished(layout: Layout): boolean {
    return this.#entries.get(layout)?.published === true
  }

  published(layout: Layout): void {
    const entry = this.#entries.get(layout)
    if (entry !== undefined) entry.published = true
  }

  stop(): void {
    for (const { timer, away } of this.#entries.values())
      for (const one of [timer, ...away.values()]) clearTimeout(one)
  }

  #open(layout: Layout): Entry {
    const entry: Entry = {
      hub: new Hub(this.#events.hub(layout), Date.now()),
      published: false,
      timer: undefined,
      away: new Map(),
    }
    this.#entries.set(layout, entry)
    return entry
  }
}
