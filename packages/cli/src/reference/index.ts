/** What users can read up, from the code itself: for docs/ and for the checks of dashboards. */
export { type Annotation, annotations } from './annotations.ts'
export { type CommandFlags, commandFlags } from './flags.ts'
export { type ExportedMetric, exportedMetrics, type Program, seriesOf } from './metrics.ts'
export { type Reason, type ReasonTable, reasonTables } from './reasons.ts'
