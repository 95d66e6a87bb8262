/** The text under the ConfigMap's key `config` → mappings, lists and texts. Scalars stay as they are written. */
import { parseDocument } from 'yaml'
import type { Problems } from '../refusal.ts'

/** What is wrong is reported; the rest is what can be read all the same, undefined if that is nothing. */
export function parseConfig(text: string, problems: Problems): unknown {
  const document = parseDocument(text, { schema: 'failsafe', merge: true, logLevel: 'error' })
  for (const error of document.errors) {
    const [where] = error.linePos ?? []
    const line = where === undefined ? 'config' : `config line ${where.line}`
    problems.report(line, 'InvalidYAML', error.message.split('\n')[0]?.replace(/ at line .*$/, '') ?? '')
  }
  try {
    return document.toJS()
  } catch (error) {
    if (document.errors.length === 0) {
      problems.report('config', 'InvalidYAML', error instanceof Error ? error.message : String(error))
    }
    return undefined
  }
}
