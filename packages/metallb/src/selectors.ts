/** Label selectors (meta/v1 LabelSelector): evaluation, and what is wrong with one. */
import type { LabelSelector } from '@landfall/api'
import type { KubeObject } from '@landfall/kube/model'
import type { Problems } from './refusal.ts'

type Labels = Readonly<Record<string, string>>

const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/** An empty selector matches everything. An unknown operator matches nothing. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) return false
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return false
    }
  })
}

/** Whether one of them matches; without selectors everything does. */
export function matchesAny(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.length === 0 || selectors.some((selector) => matchesSelector(selector, labels))
}

/** Names of the objects that one of the selectors matches. */
export function selectNames(
  selectors: readonly LabelSelector[],
  objects: readonly KubeObject[],
): ReadonlySet<string> {
  const names = objects
    .filter((object) => matchesAny(selectors, object.meta.labels))
    .map((object) => object.meta.name)
  return new Set(names.toSorted())
}

export function reportSelectors(
  problems: Problems,
  field: string,
  selectors: readonly LabelSelector[],
): void {
  const seen = new Set<string>()
  for (const [index, selector] of selectors.entries()) {
    const path = `${field}[${index}]`
    reportSelector(problems, path, selector)
    const text = canonical(selector)
    if (seen.has(text)) problems.report(path, 'DuplicateValue', 'the same selector is listed twice')
    seen.add(text)
  }
}

function reportSelector(problems: Problems, path: string, selector: LabelSelector): void {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const field = `${path}.matchLabels`
    if (!qualifiedName.test(key)) problems.report(field, 'InvalidSelector', `${quote(key)} is no label`)
    if (!labelValue.test(value))
      problems.report(field, 'InvalidSelector', `${quote(value)} is no label value`)
  }
  const seen = new Set<string>()
  for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
    const field = `${path}.matchExpressions[${index}]`
    reportExpression(problems, field, expression)
    const text = canonicalExpression(expression)
    if (seen.has(text)) problems.report(field, 'DuplicateValue', 'the same expression is listed twice')
    seen.add(text)
  }
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

function reportExpression(problems: Problems, field: string, expression: Expression): void {
  const { key, operator, values = [] } = expression
  if (!qualifiedName.test(key))
    problems.report(`${field}.key`, 'InvalidSelector', `${quote(key)} is no label`)
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      problems.report(`${field}.values`, 'InvalidSelector', `operator ${operator} needs values`)
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      problems.report(`${field}.values`, 'InvalidSelector', `operator ${operator} takes no values`)
    }
  } else {
    problems.report(
      `${field}.operator`,
      'InvalidSelector',
      `${quote(operator)} is none of In, NotIn, Exists and DoesNotExist`,
    )
  }
  if (new Set(values).size < values.length) {
    problems.report(`${field}.values`, 'DuplicateValue', 'a value is listed twice')
  }
}

/** The same text for selectors that differ only in the order of labels or of values, as upstream compares them. */
function canonical(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([labels, (selector.matchExpressions ?? []).map(canonicalExpression)])
}

function canonicalExpression({ key, operator, values = [] }: Expression): string {
  return JSON.stringify([key, operator, values.toSorted()])
}

function quote(text: string): string {
  return JSON.stringify(text)
}
