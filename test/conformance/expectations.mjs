// expectations.json lists what is known not to be supported yet: per corpus, patterns (`*` matches anything) with their reason.
// A pattern may end in what it is for: " in float16", or " by filtering" where a variant forces minimal filtering.
import { readFileSync } from 'node:fs';

const lists = JSON.parse(readFileSync(new URL('./expectations.json', import.meta.url), 'utf8'));

/** The reason why this case is not expected to pass yet, or undefined. Ops are named `OP/case`. */
export function knownReason(list, name) {
  const entry = Object.entries(lists[list] ?? {}).find(([pattern]) => matches(pattern, name));
  return entry?.[1];
}

function matches(pattern, name) {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(name);
}
