/** The text under the ConfigMap's key `config` → mappings, lists and texts. Scalars stay as they are written. */
import { parseDocument } from 'yaml'
import type { Problems } from '../refusal.ts'

/** undefined: no YAML; what is wrong is reported. */
export function parseConfig(text: string, problems: Problems): unknown {
  const document = parseDocument(text, { schema: 'failsafe', merge: true })
  for (const error of document.errors) {
    const [where] = error.linePos ?? []
    const line = where === undefined ? 'config' : `config line ${where.line}`
    problems.report(line, 'InvalidYAML', error.message.split('\n')[0]?.replace(/ at line .*$/, '') ?? '')
  }
  if (document.errors.length > 0) return undefined
  try {
    return document.toJS()
  } catch (error) {
    problems.report('config', 'InvalidYAML', error instanceof Error ? error.message : String(error))
    return undefined
  }
}
