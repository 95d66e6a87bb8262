/** What the components say of the configuration in statuses. */
export { type ComponentState, componentState, textOf, withUnresolved } from './component-state.ts'
export { withCondition, withoutCondition } from './condition.ts'
export { concerningNode } from './node-concern.ts'
export { type Unread, unreadTexts } from './unread.ts'
