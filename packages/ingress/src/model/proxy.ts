/** The parts of an HTTPProxy by their own names. */
import type { HTTPProxy } from '@landfall/api'

export type ProxySpec = HTTPProxy['spec']
export type ProxyRoute = NonNullable<ProxySpec['routes']>[number]
export type ProxyService = NonNullable<ProxyRoute['services']>[number]
export type ProxyInclude = NonNullable<ProxySpec['includes']>[number]
export type MatchCondition = NonNullable<ProxyRoute['conditions']>[number]
