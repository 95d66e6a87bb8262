/**
 * The words that the schemas of the custom resources are written in: TypeBox, narrowed to what a structural
 * schema of the API server may hold. Every field is described once; type, OpenAPI schema and CRD follow from it.
 */
import { type Static, type TSchema, Type } from 'typebox'

/** What an object of the schema looks like to code: the same, but nobody writes to it. */
export type Shape<S extends TSchema> = DeepReadonly<Static<S>>

export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export const { Object: object, Optional: optional, Array: array, Enum: oneOf, Boolean: boolean } = Type

export interface TextLimits extends Validations {
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: 'date-time'
  readonly enum?: readonly string[]
  readonly description?: string
  readonly default?: string
}

export function text(description: string, limits: TextLimits = {}) {
  return Type.String({ description, ...limits })
}

export function flag(description: string, byDefault?: boolean, more: Validations = {}) {
  return Type.Boolean({ description, ...(byDefault === undefined ? {} : { default: byDefault }), ...more })
}

export interface NumberLimits extends Validations {
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

export function int32(description: string, limits: NumberLimits = {}) {
  return Type.Integer({ description, format: 'int32', ...limits })
}

export function int64(description: string, limits: NumberLimits = {}) {
  return Type.Integer({ description, format: 'int64', ...limits })
}

/** A map of strings. */
export function textMap(description: string) {
  return Type.Record(Type.String(), Type.String(), { description })
}

export function list<Item extends TSchema>(item: Item, description: string, limits: ListLimits = {}) {
  return Type.Array(item, { description, ...limits })
}

export interface ListLimits {
  readonly minItems?: number
  readonly maxItems?: number
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

/**
 * A rule in CEL, for what a plain schema cannot say. Only functions of Kubernetes 1.25; the text of a rule is looked
 * at whole, so what it reads needs bounds (`maxItems`, `maxLength`), or the API server finds it too dear.
 */
export interface Rule {
  readonly rule: string
  /** Says what to write instead. */
  readonly message: string
}

export interface Validations {
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

export function rules(...all: readonly Rule[]): { readonly 'x-kubernetes-validations': readonly Rule[] } {
  return { 'x-kubernetes-validations': all }
}
