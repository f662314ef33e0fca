// The part of Markdown that cards and messages use, as elements: nothing is ever put in as HTML.

import type { ComponentChildren } from 'preact';

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)\s]+\)|https?:\/\/[^\s<>)]+)/g;

function inline(text: string): ComponentChildren[] {
  return text.split(INLINE).map((part) => {
    if (part.startsWith('`')) return <code>{part.slice(1, -1)}</code>;
    if (part.startsWith('**')) return <strong>{part.slice(2, -2)}</strong>;
    if (/^\*[^*\s]/.test(part) && part.endsWith('*')) return <em>{part.slice(1, -1)}</em>;
    const link = /^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(part) ?? (/^https?:/.test(part) ? [part, part, part] : null);
    if (link)
      return (
        <a class="link" href={link[2]} rel="noopener noreferrer" target="_blank">
          {link[1]}
        </a>
      );
    return part;
  });
}

function block(text: string): ComponentChildren {
  if (text.startsWith('```')) return <pre tabIndex={0}>{text.replace(/^```[^\n]*\n?/, '').replace(/\n?```$/, '')}</pre>;
  const heading = /^#{1,6} (.*)$/s.exec(text);
  if (heading) return <p class="heading">{inline(heading[1]!)}</p>;
  const lines = text.split('\n');
  if (lines.every((line) => /^\s*([-*]|\d+\.) /.test(line)))
    return (
      <ul class="bullets">
        {lines.map((line) => (
          <li>{inline(line.replace(/^\s*([-*]|\d+\.) /, ''))}</li>
        ))}
      </ul>
    );
  return <p>{lines.flatMap((line, at) => (at ? [<br />, ...inline(line)] : inline(line)))}</p>;
}

export function Markdown({ text }: { text: string }) {
  const blocks = text.match(/```[\s\S]*?(?:```|$)|(?:(?!\n\s*\n|\n?```)[\s\S])+/g) ?? [];
  return (
    <div class="markdown" dir="auto">
      {blocks.map((it) => it.trim()).filter(Boolean).map(block)}
    </div>
  );
}
