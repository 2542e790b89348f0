// Which letters open a type in the answer to an interaction (spec §1.4, §3.5): `r` what was read, `s` what was searched, `r` or `s` what
// `_include` or an operation brought, and `s`, the stricter one, whatever else a server puts in.

import type { Interaction } from '../fhir/interaction.ts'
import type { LettersOf } from './guard.ts'

export function lettersOf(interaction: Interaction): LettersOf {
  switch (interaction.code) {
    case 'read':
    case 'vread':
    case 'history-instance':
      return (type) => (type === interaction.type ? 'r' : '')
    case 'history-type':
      return (type) => (type === interaction.type ? 's' : '')
    case 'search-type':
    case 'search-system': {
      const included = new Set(
        interaction.search.reaches.filter(({ kind }) => kind === 'include').map(({ type }) => type),
      )
      return (type) => (included.has(type) || included.has('*') ? 'rs' : 's')
    }
    case 'operation':
      return () => 'rs'
    default:
      return () => 's'
  }
}
