/** A part of the BGP drill: what it is given. */
import type { Recording } from '../part.ts'

export interface PartOptions extends Recording {
  /** undefined: as the part has it. */
  readonly times: number | undefined
  /** A lab that is up, for parts that make labs. */
  readonly lab: string | undefined
}

export interface Part {
  readonly about: string
  run(options: PartOptions): Promise<void>
}
