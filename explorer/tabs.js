import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect, useRef } from 'react';

const PANES = { queryEditor: 'query', variableEditor: 'variables', headerEditor: 'headers' };

/**
 * Shows the tab that was turned to before the editors had loaded.
 *
 * GraphiQL fills them with the tab it began with, and then keeps that text as the other tab's own.
 */
export function EarlyTab() {
  const state = useGraphiQL(pick('tabs', 'activeTabIndex', ...Object.keys(PANES)));
  const first = useRef(state.activeTabIndex);
  const ready = Object.keys(PANES).every((pane) => state[pane]);
  useEffect(() => {
    if (!ready || state.activeTabIndex === first.current) return;
    const tab = state.tabs[state.activeTabIndex];
    for (const [pane, value] of Object.entries(PANES)) state[pane].setValue(tab[value] ?? '');
  }, [ready]); // once: from then on GraphiQL follows the tabs itself
  return null;
}
