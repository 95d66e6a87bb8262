/** What a component is: its attributes, told in a table for readers, and the objects that a configuration of it gives. */
import type { Manifest } from '@landfall/manifests'
import type { BlockReader } from '../evaluation/reader.ts'

export interface Component {
  readonly name: string
  readonly namespace: string
  readonly attributes: readonly Attribute[]
  /** @param block undefined: not configured, all defaults. Problems are reported to the block's list. */
  readonly render: (block: BlockReader | undefined, release: Release) => readonly Manifest[]
  /** What other configurations of it give beyond that; deleted when it is no longer given. Names only count. */
  readonly optional: () => readonly Manifest[]
  /** What it gives a reader to write in, as `nameOfObject` calls it: left as it is once a component has written it. */
  readonly once: readonly string[]
}

/** What is installed, and from where. */
export interface Release {
  /** Of Landfall, without a leading `v`. */
  readonly version: string
  /** Where Landfall's images lie, as `registry.example.com:5000/team`; undefined: their names alone. */
  readonly registry?: string
}

/** A row of the table in docs/lokomotive.md. */
export interface Attribute {
  readonly name: string
  readonly type: string
  /** What it does, in Markdown. */
  readonly effect: string
  /** As it may stand in a component's block. */
  readonly example: string
}
