/** docs/reference.md: every flag, annotation, metric, alert and reason, from the code. */
import {
  annotations,
  type CommandFlags,
  commandFlags,
  type ExportedMetric,
  exportedMetrics,
  type Reason,
  reasonTables,
} from '@landfall/cli/reference'
import { monitoring } from '@landfall/manifests'

const head = `# Reference

Generated from the code by \`pnpm generate\`; do not edit. Annotations, metrics, alerts, reasons and flags. Limits of the schemas are in
[bounds.md](bounds.md); what to do about a reason, in [troubleshooting.md](troubleshooting.md).
`

export function renderReference(): string {
  const flags = commandFlags().map(renderCommand).join('')
  return `${head}
## Annotations

${table(
  ['On', 'Annotation', 'Meaning'],
  annotations.map(({ on, name, meaning }) => [on, code(name), meaning]),
)}
Those of Services under \`metallb.io/\` that are read are read under \`metallb.universe.tf/\` too where MetalLB had them:
\`address-pool\`, \`loadBalancerIPs\`, \`allow-shared-ip\`.

## Metrics

\`controller\` and \`speaker\` export them on port 7472 in our manifests, \`serve\` on 8000. Those of Envoy, on port 8002 under
\`/stats/prometheus\`, are Envoy's own.

${table(['Metric', 'Labels', 'Of', 'Kind', 'What'], exportedMetrics().map(metricRow))}
## Alerts

${table(['Alert', 'For', 'Severity', 'When', 'What to do'], alertRows())}
## Reasons

${reasonTables()
  .map(
    ({ title, reasons }) =>
      `### ${title}\n\n${table(['Reason', 'Meaning', 'What to do'], reasons.map(reasonRow))}`,
  )
  .join('\n')}
## Flags

A flag goes before its variable, the variable before the default. Long flags may have one dash, and \`=true\` or \`=false\`, as Go
has them.

${flags}`
    .trimEnd()
    .concat('\n')
}

function renderCommand({ command, description, flags }: CommandFlags): string {
  const rows = flags.map(({ flag, variable, initial, description: what }) => [
    code(flag),
    variable === '' ? '' : code(variable),
    initial === '' ? '' : code(initial),
    what,
  ])
  return `### ${code(command)}\n\n${description}\n\n${table(['Flag', 'Variable', 'Default', ''], rows)}\n`
}

function alertRows(): readonly (readonly string[])[] {
  return [...monitoring.metallb.alerts, ...monitoring.contour.alerts].map((alert) => [
    code(alert.name),
    alert.for,
    alert.severity,
    code(alert.expr),
    alert.description,
  ])
}

function metricRow({ name, labels, programs, type, help }: ExportedMetric): readonly string[] {
  return [code(name), labels.map(code).join(', '), programs.join(', '), type, help]
}

function reasonRow({ reason, meaning, types, next }: Reason): readonly string[] {
  return [code(reason), types === '' ? meaning : `${meaning} (${types})`, next]
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |\n`
  return `${line(heads)}|${heads.map(() => '---|').join('')}\n${rows.map(line).join('')}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function code(text: string): string {
  return `\`${text}\``
}
