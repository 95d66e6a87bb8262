/** The file of interfaces that announce nothing, as MetalLB has it (`announcedInterfacesToExclude`). */
import { parse } from 'yaml'

/** Regular expressions. @throws an Error that names the file and what is wrong in it */
export function parseExcludes(file: string, text: string): readonly string[] {
  const content: unknown = parse(text)
  const list =
    typeof content === 'object' && content !== null && 'announcedInterfacesToExclude' in content
      ? content.announcedInterfacesToExclude
      : undefined
  if (!Array.isArray(list)) throw new Error(`${file}: announcedInterfacesToExclude is no list`)
  return list.map((pattern: unknown) => {
    if (typeof pattern !== 'string') throw new Error(`${file}: ${JSON.stringify(pattern)} is no text`)
    try {
      return new RegExp(pattern).source
    } catch (error) {
      throw new Error(`${file}: "${pattern}" is no regular expression`, { cause: error })
    }
  })
}
