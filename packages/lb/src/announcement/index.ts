export { announcedOf, type Said } from './announced.ts'
export { AnnouncingReports } from './announcing-reports.ts'
