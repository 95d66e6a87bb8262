export { announcedOf, type Said } from './announced.ts'
export { AnnouncingReports } from './announcing-reports.ts'
export { refusedAttributes } from './refused-attributes.ts'
