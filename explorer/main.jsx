import 'graphiql/setup-workers/vite'; // Monaco's workers as files of our own, so no CDN is asked
// One by one: graphiql/style.css adds fonts and a second copy of Monaco's styles, 0.6 MB.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './style.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { examples } from './examples.js';
import { fetcher } from './fetcher.js';
import { redeemLink } from './session.js';
import { SignIn } from './signin.jsx';
import { storage } from './storage.js';
import { EarlyTab } from './tabs.js';

const why = await redeemLink(); // first: the token must not stay in the address
const tabs = await examples();

createRoot(document.getElementById('explorer')).render(
  <>
    <SignIn why={why} />
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      shouldPersistHeaders={false}
      defaultQuery=""
      defaultTabs={tabs}
      defaultEditorToolsVisibility={true}
      inputValueDeprecation={true}
      schemaDescription={true}
      plugins={[HISTORY_PLUGIN, explorerPlugin()]}
    >
      <GraphiQL.Logo>
        <EarlyTab />
        Signalbox
      </GraphiQL.Logo>
    </GraphiQL>
  </>,
);
