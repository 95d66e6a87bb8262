/** What is wrong with a configuration, and where. A reader gets all problems of all files at once. */

/** Lines and columns count from 1, columns in characters. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export type ProblemCode =
  | 'InvalidSyntax'
  | 'NotSupported'
  | 'NotQuoted'
  | 'UnknownBlock'
  | 'UnknownAttribute'
  | 'UnknownComponent'
  | 'UnknownFunction'
  | 'UnknownVariable'
  | 'MissingValue'
  | 'WrongType'
  | 'InvalidValue'
  | 'InvalidAddress'
  | 'Conflict'
  | 'Duplicate'
  | 'UnreadableFile'

export interface Problem {
  readonly code: ProblemCode
  /** Missing when it is about no text: a name on the command line, a file that cannot be read. */
  readonly at?: Place
  readonly message: string
}

/** What a reader should know, and is no reason to refuse. */
export type Warning = Omit<Problem, 'code'>

export class Problems {
  readonly #found: Problem[] = []
  readonly #warnings: Warning[] = []

  get found(): readonly Problem[] {
    return this.#found
  }

  get warnings(): readonly Warning[] {
    return this.#warnings
  }

  warn(at: Place, message: string): void {
    this.#warnings.push({ at, message })
  }

  report(code: ProblemCode, at: Place | undefined, message: string): undefined {
    this.#found.push({ code, ...(at && { at }), message })
    return undefined
  }

  add(problems: readonly Problem[]): void {
    this.#found.push(...problems)
  }
}

/** `ingress.lokocfg:4:16: …` */
export function formatProblem({ at, message }: Warning): string {
  return at === undefined ? message : `${formatPlace(at)}: ${message}`
}

export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`
}
