/** A status as one screen for a person: tables, then what is wrong, then a line that sums it up. */
import type { SessionFact } from '../facts/announcers.ts'
import { systemConfigMaps } from '../facts/config-map.ts'
import { configurationText } from '../status/envoys.ts'
import type { Finding } from '../status/finding.ts'
import type { PoolRow, Use } from '../status/pools.ts'
import type { Status } from '../status/status.ts'
import type { Colour, Paint } from './paint.ts'
import { type Cell, cell, table } from './table.ts'

export function statusText(status: Status, paint: Paint): string {
  const sections = [
    section('PROGRAMS', programs(status, paint), paint),
    section('POOLS', pools(status, paint), paint),
    section('SERVICES of type LoadBalancer', services(status, paint), paint),
    section('BGP', sessions(status, paint), paint),
    section('ENVOYS', envoys(status, paint), paint),
    section('NOT READ', gaps(status), paint),
    section('WRONG', findingsText(status, isError, paint), paint),
    section(
      'WORTH A LOOK',
      findingsText(status, (one) => !isError(one), paint),
      paint,
    ),
  ]
  return `${sections.filter((text) => text !== '').join('\n')}\n${summary(status, paint)}\n`
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return lines.length === 0
    ? ''
    : `${[paint(title, 'bold'), ...lines.map((line) => `  ${line}`)].join('\n')}\n`
}

function isError({ severity }: Finding): boolean {
  return severity === 'error'
}

function findingsText(
  { findings }: Status,
  concerns: (one: Finding) => boolean,
  paint: Paint,
): readonly string[] {
  return folded(findings.filter(concerns)).flatMap((one) => {
    const names = one.name.split(', ')
    const follows = findings.filter(
      ({ cause }) => cause?.kind === one.kind && cause.reason === one.reason && names.includes(cause.name),
    )
    return findingLines(one, folded(follows, true), paint)
  })
}

/** What is the same of several objects of a kind is said once, of all of them; what follows from something is said there. */
function folded(findings: readonly Finding[], follows = false): readonly Finding[] {
  const concerned = findings.filter(({ cause }) => (cause !== undefined) === follows)
  const alike = ({ kind, reason, message, next }: Finding) => [kind, reason, message, next].join('\0')
  return [...Map.groupBy(concerned, alike).values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [{ ...first, name: group.map(({ name }) => name).join(', ') }]
  })
}

function summary({ findings, gaps: all }: Status, paint: Paint): string {
  const errors = folded(findings.filter(isError)).length
  const rest = folded(findings.filter((one) => !isError(one))).length
  const more = rest === 0 ? '' : `, ${rest} worth a look`
  const unread = all.some(({ why }) => why !== 'notInstalled')
  const where = unread ? ' in what could be read' : ''
  if (errors === 0)
    return paint(`Nothing is wrong${where}${more}.`, rest === 0 && !unread ? 'green' : 'yellow')
  return paint(`${errors} wrong${more}.`, 'red')
}

function programs({ programs: rows }: Status, paint: Paint): readonly string[] {
  if (rows.length === 0) return []
  const shown = rows.map(({ name, namespace, ready, total }) => [
    cell(name),
    cell(`${ready}/${total}`, ready === total && total > 0 ? 'green' : ready === 0 ? 'red' : 'yellow'),
    cell(namespace),
  ])
  return table(['NAME', 'READY', 'NAMESPACE'], shown, paint)
}

function pools({ pools: rows, gaps: all }: Status, paint: Paint): readonly string[] {
  if (rows.length === 0)
    return all.some(({ kind }) => kind === 'IPAddressPool' || kind === systemConfigMaps)
      ? []
      : [paint('none', 'yellow')]
  const shown = rows.map((row) => [
    cell(row.name),
    cell(useText(row.ipv4)),
    cell(useText(row.ipv6)),
    cell(row.announced.join(', ') || 'by nothing', row.announced.length === 0 ? 'yellow' : undefined),
    stateCell(row),
    cell(shortened(row.addresses)),
  ])
  return table(['NAME', 'IPV4', 'IPV6', 'ADVERTISED', 'STATE', 'ADDRESSES'], shown, paint)
}

/** How full a pool is, is no refusal with a code to look up. */
const fullnesses: Readonly<Record<string, string>> = { Full: 'full', NearlyFull: 'nearly full' }

function stateCell({ state, autoAssign }: PoolRow): Cell {
  const colour: Colour = state === 'ok' ? 'green' : 'yellow'
  const text = fullnesses[state] ?? state
  return cell(autoAssign ? text : `${text}, on request`, colour)
}

/** Of a pool that is beyond counting the total says nothing. */
function useText({ assigned, total }: Use): string {
  return total === 0 ? '-' : `${assigned} of ${total > 1e15 ? 'many' : total}`
}

const mostAddresses = 3

function shortened(all: readonly string[]): string {
  const more = all.length - mostAddresses
  return [...all.slice(0, mostAddresses), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

function services({ services: rows }: Status, paint: Paint): readonly string[] {
  if (rows.length === 0) return []
  const shown = rows.map(({ name, loadBalancerClass, addresses, pools: from, announced, reason }) => [
    cell(loadBalancerClass === '' ? name : `${name} (${loadBalancerClass})`),
    cell(addresses.join(', ') || 'none', addresses.length === 0 ? 'red' : undefined),
    cell(from.join(', ') || '-'),
    cell(announced.join('; ') || 'no', announced.length === 0 ? 'red' : undefined),
    cell(reason, 'red'),
  ])
  return table(['NAME', 'ADDRESS', 'POOL', 'ANNOUNCED', 'WRONG'], shown, paint)
}

function sessions({ peers }: Status, paint: Paint): readonly string[] {
  if (peers.length === 0) return []
  const shown = peers.flatMap(({ name, at, sessions: rows }) =>
    rows.length === 0
      ? [[cell(name), cell(at), cell('-'), cell('not reported', 'yellow')]]
      : rows.map((one) => [
          cell(name),
          cell(one.address || at),
          cell(one.node),
          sessionCell(one),
          cell(one.since),
          cell(`${one.prefixes}${one.counted ? '' : ' (reported)'}`),
          cell(one.bfd || '-'),
          // The words are said of all of them below.
          cell(one.reason || one.message, 'red'),
        ]),
  )
  const head = ['PEER', 'AT', 'NODE', 'SESSION', 'SINCE', 'PREFIXES', 'BFD', 'WHY NOT']
  const old = peers.some(({ sessions: rows }) => rows.some(({ counted }) => !counted))
  return [
    ...table(head, shown, paint),
    ...(old
      ? [paint('(reported): by the speaker, once a minute at most; it was not asked now.', 'dim')]
      : []),
  ]
}

function sessionCell({ established, unknown }: SessionFact): Cell {
  if (established) return cell('up', 'green')
  return unknown ? cell('unknown', 'yellow') : cell('DOWN', 'red')
}

function envoys({ envoys: rows, findings }: Status, paint: Paint): readonly string[] {
  if (rows.length === 0) return []
  const refused = findings.some(({ reason }) => reason === 'EnvoyRefused')
  const shown = rows.map((row) => [
    cell(row.name),
    cell(row.node),
    cell(row.ready ? 'yes' : 'NO', row.ready ? 'green' : 'red'),
    cell(configurationText(row, refused)),
  ])
  return table(['POD', 'NODE', 'READY', 'CONFIGURATION'], shown, paint)
}

function gaps({ gaps: all }: Status): readonly string[] {
  const missing = all.filter(({ why }) => why === 'notInstalled').map(({ kind }) => kind)
  const forbidden = all.filter(({ why }) => why === 'forbidden').map(({ kind }) => kind)
  const rest = all.filter(({ why }) => why === 'failed')
  return [
    ...(missing.length === 0 ? [] : [`not installed: ${missing.join(', ')}`]),
    ...(forbidden.length === 0 ? [] : [`forbidden: ${forbidden.join(', ')}`]),
    ...rest.map(({ kind, message }) => `${kind}: ${message}`),
  ]
}

function findingLines(
  { severity, kind, name, reason, message, next }: Finding,
  follows: readonly Finding[],
  paint: Paint,
): readonly string[] {
  const [first = '', ...more] = message.split('\n')
  const colour = severity === 'error' ? 'red' : 'yellow'
  return [
    `${paint(reason, colour)}  ${kind} ${name}: ${first}`,
    ...more.map((line) => `    ${line}`),
    ...follows.map(
      (one) => `    hence ${paint(one.reason, colour)}  ${one.kind} ${one.name}: ${one.message}`,
    ),
    ...(next === '' ? [] : [paint(`  → ${next}`, 'dim')]),
  ]
}
