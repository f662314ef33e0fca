// The line above the columns: text, agents, people and labels to show.

import type { Board } from '../state/board';
import * as filter from '../state/filter';
import { Icon } from '../ui/icons';
import { Avatar, LabelChip, nameOf } from '../ui/people';
import { Menu } from '../ui/menu';

const AGENTS: [filter.AgentFilter, string][] = [
  ['working', 'Agent at work'],
  ['asking', 'Agent asks'],
  ['failed', 'Agent failed'],
];

export function FilterBar({ board }: { board: Board }) {
  const workspace = board.facts.value?.workspace;
  const members = workspace?.members.nodes.flatMap(({ user }) => (user ? [user] : [])) ?? [];
  return (
    <div class="filters" role="search" aria-label="Filter the cards">
      <label class="field">
        <Icon name="filter" />
        <input
          type="search"
          placeholder="Filter cards"
          aria-label="Filter cards by text"
          value={filter.text.value}
          onInput={(event) => (filter.text.value = event.currentTarget.value)}
        />
      </label>
      {AGENTS.map(([key, text]) => (
        <button
          key={key}
          class={`pill agent-filter-${key}`}
          aria-pressed={filter.agents.value.has(key)}
          onClick={() => filter.toggle(filter.agents, key)}
        >
          <span class="agent-dot" aria-hidden="true" />
          {text}
        </button>
      ))}
      <Menu label="Labels" count={filter.labels.value.size}>
        {(workspace?.labels ?? []).map((label) => (
          <label key={label.id} class="choice">
            <input
              type="checkbox"
              checked={filter.labels.value.has(label.id)}
              onChange={() => filter.toggle(filter.labels, label.id)}
            />
            <LabelChip label={label} />
          </label>
        ))}
      </Menu>
      <div class="people-filter" role="group" aria-label="Filter by people">
        {members.slice(0, 8).map((person) => (
          <button
            key={person.id}
            class="person"
            aria-pressed={filter.people.value.has(person.id)}
            aria-label={`Only cards of ${nameOf(person)}`}
            onClick={() => filter.toggle(filter.people, person.id)}
          >
            <Avatar person={person} />
          </button>
        ))}
      </div>
      {filter.isFiltered.value && (
        <button class="quiet" onClick={filter.clear}>
          Clear
        </button>
      )}
    </div>
  );
}
