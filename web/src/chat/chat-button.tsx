import { lazy, Suspense, useEffect } from 'react';
import { createStore, useStore } from '../api/store.ts';
import { Icon } from '../ui/icon.tsx';

const ChatPanel = lazy(() => import('./chat-panel.tsx'));

/** Whether the chat is open; the palette of commands may open it as well. */
export const chatting = createStore(false);

/** The floating button of the chat. What was said lives as long as the page. */
export default function ChatButton() {
  const open = useStore(chatting);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== '/') return;
      event.preventDefault();
      chatting.set(!chatting.get());
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
  if (open)
    return (
      <Suspense fallback={null}>
        <ChatPanel />
      </Suspense>
    );
  return (
    <button
      type="button"
      aria-label="Ask about the running system"
      aria-keyshortcuts="Control+/"
      title="Ask about the running system (Ctrl /)"
      onClick={() => chatting.set(true)}
      className="fixed right-3 bottom-[calc(4.25rem+env(safe-area-inset-bottom))] z-30 grid size-12 place-items-center rounded-full border border-line-strong bg-button text-button-ink shadow-lg hover:opacity-90 md:right-4 md:bottom-4"
    >
      <Icon name="chat" size={20} />
    </button>
  );
}
