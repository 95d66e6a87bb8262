/** Where the resources of a layout say that what they name comes from. */
import type { Layout } from '../xds/layout.ts'
import type { Source } from './message.ts'

export function sourceOf(layout: Layout): Source {
  return layout === 'classic-streams' ? 'streams' : 'ads'
}
