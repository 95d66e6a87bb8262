/** The components there are. */
import type { Component } from './component.ts'
import { contour } from './contour.ts'
import { metallb } from './metallb.ts'

export type { Attribute, Component, Release } from './component.ts'

/** By name. */
export const components: readonly Component[] = [contour, metallb]
