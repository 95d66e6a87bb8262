/** What the API server checks of a BGPPeer beyond single values, in CEL. Empty text counts as absent. */
import type { Rule } from '../schema/build.ts'

/** Else `duration` fails with words of its own. */
function isDuration(field: string): string {
  return `${field}.matches('^(0|([0-9]+([.][0-9]*)?(ns|us|ms|s|m|h))+)$')`
}

function isSet(field: string): string {
  return `has(self.${field}) && self.${field} != ''`
}

export const holdTimeRule: Rule = {
  rule:
    `self == '' || ${isDuration('self')} && duration(self) < duration('65536s') && ` +
    "(duration(self) >= duration('3s') || duration(self) < duration('1s'))",
  message: 'write a duration of 3s to 65535s, or 0s for a session that never times out',
}

export const keepaliveTimeRule: Rule = {
  rule:
    `self == '' || ${isDuration('self')} && duration(self) < duration('65536s') && ` +
    "(duration(self) >= duration('1s') || duration(self) == duration('0s'))",
  message: 'write a duration of 1s to 65535s, or 0s for a third of the hold time',
}

export const connectTimeRule: Rule = {
  rule:
    `self == '' || ${isDuration('self')} && duration(self) >= duration('1s') && ` +
    "duration(self) <= duration('65535s') && duration(self).getMilliseconds() % 1000 == 0",
  message: 'write whole seconds, from 1s to 65535s',
}

export const peerRules: readonly Rule[] = [
  {
    rule: '(has(self.peerASN) && self.peerASN != 0) != has(self.dynamicASN)',
    message: 'give one of peerASN and dynamicASN, and not both',
  },
  {
    rule: `(${isSet('peerAddress')}) != (${isSet('interface')})`,
    message: 'give one of peerAddress and interface, and not both',
  },
  {
    rule: `!(${isSet('password')} && has(self.passwordSecret) && has(self.passwordSecret.name) && self.passwordSecret.name != '')`,
    message: 'give password or passwordSecret, not both',
  },
  {
    rule: '!(has(self.ebgpMultiHop) && self.ebgpMultiHop && has(self.peerASN) && self.peerASN == self.myASN)',
    message: 'ebgpMultiHop is for external sessions, where peerASN is not myASN: leave it out',
  },
  {
    rule:
      `!(${isSet('holdTime')} && ${isSet('keepaliveTime')} && ` +
      `${isDuration('self.holdTime')} && ${isDuration('self.keepaliveTime')}) || ` +
      'duration(self.keepaliveTime) <= duration(self.holdTime)',
    message: 'keepaliveTime must not be longer than holdTime',
  },
]
