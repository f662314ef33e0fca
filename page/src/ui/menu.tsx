// A button with a list below it. The browser's popover closes it on Escape and on a click elsewhere.

import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

import { Icon, type IconName } from './icons';

interface Props {
  label: string;
  count?: number;
  icon?: IconName;
  class?: string;
  children: ComponentChildren;
}

export function Menu({ label, count = 0, icon, class: name = 'pill', children }: Props) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const place = () => {
    const box = button.current!.getBoundingClientRect();
    const width = list.current!.offsetWidth || 220;
    list.current!.style.top = `${Math.min(box.bottom + 4, innerHeight - 120)}px`;
    list.current!.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
  };
  return (
    <>
      <button ref={button} class={name} popovertarget={id} aria-haspopup="true">
        {icon && <Icon name={icon} />}
        {label}
        {count > 0 && <span class="badge">{count}</span>}
      </button>
      <div ref={list} id={id} class="menu" popover="auto" role="group" aria-label={label} onToggle={place}>
        {children}
      </div>
    </>
  );
}
