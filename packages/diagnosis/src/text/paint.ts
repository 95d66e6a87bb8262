/** Colour, where there is a terminal to show it. */

export type Paint = (text: string, colour: Colour) => string
export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold'

const codes: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 }

export const plain: Paint = (text) => text

export const coloured: Paint = (text, colour) => `\u001B[${codes[colour]}m${text}\u001B[0m`
