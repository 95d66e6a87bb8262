/**
 * Envoy's own validation rules (`validate.rules` of its protos), applied to a message: what Envoy would refuse with
 * "Proto constraint validation failed" is found here first. Extensions inside `Any` are looked into.
 *
 * In: a message and a registry of the extensions that it may carry. Out: all problems, each with its path.
 */
import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type MessageShape,
  type Registry,
} from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { type Any, AnySchema, anyUnpack, type Duration, DurationSchema } from '@bufbuild/protobuf/wkt'
import { disabled, type FieldRules, required, rules } from '../gen/validate/validate_pb.ts'
import {
  checkBytes,
  checkDuration,
  checkEnum,
  checkNumber,
  checkString,
  type Found,
  type NumberRules,
} from './values.ts'

export interface RuleProblem {
  /** In the names of Envoy's documentation: `filter_chains[0].filters[1].typed_config.stat_prefix`. */
  readonly path: string
  readonly message: string
}

export function checkRules<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  registry: Registry,
): readonly RuleProblem[] {
  const walk = new Walk(registry)
  walk.message('', reflect(schema, message))
  return walk.problems
}

class Walk {
  readonly problems: RuleProblem[] = []
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  message(path: string, message: ReflectMessage): void {
    if (message.desc.typeName === AnySchema.typeName) return this.#any(path, message)
    if (getOption(message.desc, disabled)) return
    for (const oneof of message.desc.oneofs) {
      if (!hasOption(oneof, required) || !getOption(oneof, required)) continue
      if (message.oneofCase(oneof) === undefined)
        this.#add(join(path, oneof.name), ['one of its fields is required'])
    }
    for (const field of message.desc.fields) this.#field(join(path, field.name), message, field)
  }

  #any(path: string, message: ReflectMessage): void {
    const any = message.message as Any
    if (any.typeUrl === '') return
    const packed = anyUnpack(any, this.#registry)
    const schema = packed && this.#registry.getMessage(packed.$typeName)
    if (packed === undefined || schema === undefined) {
      this.#add(path, [`${any.typeUrl} is not in the registry`])
      return
    }
    this.message(path, reflect(schema, packed))
  }

  #field(path: string, message: ReflectMessage, field: DescField): void {
    const rule = hasOption(field, rules) ? getOption(field, rules) : undefined
    if (rule?.message?.skip) return
    if (field.fieldKind === 'list') return this.#list(path, message, field, rule)
    if (field.fieldKind === 'map') return this.#map(path, message, field, rule)
    const set = message.isSet(field)
    if (!set && field.oneof === undefined && isRequired(rule)) this.#add(path, ['is required'])
    // Unset and empty are the same for a plain field: it is checked; any other only when it is set.
    if (!set && (field.fieldKind === 'message' || field.oneof !== undefined)) return
    this.#value(path, field, message.get(field), rule)
  }

  #list(
    path: string,
    message: ReflectMessage,
    field: DescField & { readonly fieldKind: 'list' },
    rule: FieldRules | undefined,
  ): void {
    const list = message.get(field)
    const repeated = rule?.type.case === 'repeated' ? rule.type.value : undefined
    if (repeated !== undefined) {
      const size = BigInt(list.size)
      if (size < repeated.minItems) this.#add(path, [`needs at least ${repeated.minItems} items`])
      if (repeated.maxItems > 0n && size > repeated.maxItems)
        this.#add(path, [`at most ${repeated.maxItems} items`])
      if (repeated.unique && new Set(list).size !== list.size) this.#add(path, ['has the same item twice'])
    }
    for (const [index, item] of [...list].entries()) {
      this.#value(`${path}[${index}]`, field, item, repeated?.items)
    }
  }

  #map(
    path: string,
    message: ReflectMessage,
    field: DescField & { readonly fieldKind: 'map' },
    rule: FieldRules | undefined,
  ): void {
    const map = message.get(field)
    const rules = rule?.type.case === 'map' ? rule.type.value : undefined
    if (rules !== undefined) {
      const size = BigInt(map.size)
      if (size < rules.minPairs) this.#add(path, [`needs at least ${rules.minPairs} entries`])
      if (rules.maxPairs > 0n && size > rules.maxPairs) this.#add(path, [`at most ${rules.maxPairs} entries`])
    }
    for (const [key, value] of map) {
      const at = `${path}[${String(key)}]`
      if (typeof key === 'string' && rules?.keys?.type.case === 'string') {
        this.#add(`${at} (key)`, checkString(rules.keys.type.value, key))
      }
      this.#value(at, field, value, rules?.values)
    }
  }

  #value(path: string, field: DescField, value: unknown, rule: FieldRules | undefined): void {
    if (isReflectMessage(value)) {
      this.#add(path, checkMessageValue(value, rule))
      this.message(path, value)
      return
    }
    if (rule !== undefined) this.#add(path, checkScalar(field, value, rule))
  }

  #add(path: string, found: Found): void {
    for (const message of found) this.problems.push({ path, message })
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isReflectMessage(value: unknown): value is ReflectMessage {
  return typeof value === 'object' && value !== null && 'desc' in value && 'message' in value
}

function isRequired(rule: FieldRules | undefined): boolean {
  if (rule?.message?.required) return true
  const type = rule?.type
  return (
    (type?.case === 'any' || type?.case === 'duration' || type?.case === 'timestamp') && type.value.required
  )
}

/** Rules that stand on a message field and mean its value: wrappers, durations. */
function checkMessageValue(value: ReflectMessage, rule: FieldRules | undefined): Found {
  if (rule === undefined || rule.type.case === undefined) return []
  if (rule.type.case === 'duration' && value.desc.typeName === DurationSchema.typeName) {
    return checkDuration(rule.type.value, value.message as Duration)
  }
  const wrapped = value.desc.file.name === 'google/protobuf/wrappers' ? value.desc.field['value'] : undefined
  return wrapped === undefined ? [] : checkScalar(wrapped, value.get(wrapped), rule)
}

function checkScalar(field: DescField, value: unknown, rule: FieldRules): Found {
  const { type } = rule
  switch (type.case) {
    case undefined:
    case 'any':
    case 'duration':
    case 'timestamp':
    case 'repeated':
    case 'map':
      return []
    case 'string':
      return typeof value === 'string' ? checkString(type.value, value) : []
    case 'bytes':
      return value instanceof Uint8Array ? checkBytes(type.value, value) : []
    case 'enum':
      return typeof value === 'number' && field.enum !== undefined
        ? checkEnum(type.value, value, field.enum)
        : []
    case 'bool':
      return value === type.value.const ? [] : [`must be ${type.value.const}`]
    default:
      return typeof value === 'number' || typeof value === 'bigint'
        ? checkNumber(numberRules(rule), value)
        : []
  }
}

/** Fields of proto2 that are not set stand on the prototype, with their defaults: only own ones are rules. */
function numberRules({ type }: FieldRules): NumberRules {
  const own: Readonly<Record<string, unknown>> = { ...type.value }
  const bound = (name: string) => {
    const value = own[name]
    return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
  }
  const list = (name: string) => {
    const value = own[name]
    return Array.isArray(value) ? value.filter((item) => ['number', 'bigint'].includes(typeof item)) : []
  }
  return {
    const: bound('const'),
    lt: bound('lt'),
    lte: bound('lte'),
    gt: bound('gt'),
    gte: bound('gte'),
    in: list('in'),
    notIn: list('notIn'),
  }
}
