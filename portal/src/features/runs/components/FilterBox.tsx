import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFilter, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { isProblem } from "@/api/problem";
import { useProblemText } from "@/ui/problem-text";
import {
  completed,
  fieldName,
  fieldSearch,
  fieldSuggestions,
  jointSuggestions,
  operatorSuggestions,
  type Suggestion,
  valueSuggestions,
} from "../completion";
import { stageAt } from "../language";
import { fieldsQuery, fieldValuesQuery } from "../queries";
import type { RunScope } from "../workspace";
import classes from "./FilterBox.module.css";

const example = 'metrics.loss < 0.2 and params.optimizer = "adam"';

type Props = {
  scope: RunScope;
  filter: string;
  onFilter: (filter: string) => void;
  /** The server's refusal of the filter, if it refused it. */
  error: unknown;
};

/** Where the search language is typed: completed from what the runs have, its mistakes shown where they are. */
export function FilterBox({ scope, filter, onFilter, error }: Props) {
  const { t } = useLingui();
  const problemText = useProblemText();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(filter);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const wanted = useRef<number | null>(null);

  // Somebody else changed the address (back button, a chip, a view): the box follows.
  useEffect(() => setText(filter), [filter]);

  useEffect(() => {
    if (wanted.current === null) return;
    input.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = null;
  });

  const stage = stageAt(text, caret);
  const suggestions = useSuggestions(scope, stage, open);
  const shown = open && suggestions.length > 0;
  const mistake = text === filter ? mistakeOf(error, filter) : null;

  function type(next: string, at: number): void {
    setText(next);
    setCaret(at);
    setActive(-1);
    setOpen(true);
  }

  function choose(choice: Suggestion): void {
    const next = completed(text, stage, choice);
    wanted.current = next.caret;
    type(next.text, next.caret);
    input.current?.focus();
  }

  function apply(): void {
    setOpen(false);
    const next = text.trim();
    setText(next);
    if (next !== filter) onFilter(next);
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    const count = suggestions.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) setOpen(true);
      else setActive((now) => stepped(now, event.key === "ArrowDown" ? 1 : -1, count));
    } else if (event.key === "Tab" && shown && active >= 0) {
      event.preventDefault();
      const choice = suggestions[active];
      if (choice) choose(choice);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const choice = shown ? suggestions[active] : undefined;
      if (choice) choose(choice);
      else apply();
    } else if (event.key === "Escape") {
      setOpen(false);
      setActive(-1);
    }
  }

  const follow = () => {
    setCaret(input.current?.selectionStart ?? 0);
    if (mirror.current && input.current) mirror.current.scrollLeft = input.current.scrollLeft;
  };
  const optionId = (at: number) => `${id}-option-${at}`;
  const changed = text.trim() !== filter;

  return (
    <div className={classes.box}>
      <div className={mistake ? `${classes.field} ${classes.wrong}` : classes.field}>
        <IconFilter size={15} aria-hidden className={classes.icon} />
        <div className={classes.text}>
          <div ref={mirror} className={classes.mirror} aria-hidden>
            {mistake && mistake.length > 0 ? (
              <>
                {text.slice(0, mistake.position)}
                <mark>
                  {text.slice(mistake.position, mistake.position + mistake.length) || " "}
                </mark>
                {text.slice(mistake.position + mistake.length)}
              </>
            ) : (
              text
            )}
          </div>
          <input
            ref={input}
            type="text"
            role="combobox"
            data-filter
            aria-label={t`Filter runs by an expression`}
            aria-expanded={shown}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={shown && active >= 0 ? optionId(active) : undefined}
            aria-invalid={mistake !== null}
            aria-describedby={mistake ? `${id}-mistake` : undefined}
            placeholder={example}
            autoCapitalize="off"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            maxLength={8000}
            value={text}
            onChange={(event) =>
              type(event.currentTarget.value, event.currentTarget.selectionStart ?? 0)
            }
            onKeyDown={onKeyDown}
            onSelect={follow}
            onScroll={follow}
            onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)}
          />
        </div>
        {changed ? (
          <Button size="compact-xs" onClick={apply}>
            <Trans context="verb">Filter</Trans>
          </Button>
        ) : null}
        {text ? (
          <ActionIcon
            size="sm"
            aria-label={t`Remove the filter`}
            onClick={() => {
              setText("");
              if (filter) onFilter("");
              input.current?.focus();
            }}
          >
            <IconX size={15} aria-hidden />
          </ActionIcon>
        ) : null}
      </div>
      {mistake ? (
        <p id={`${id}-mistake`} role="alert" className={classes.mistake}>
          {mistake.detail ?? problemText(error)}
        </p>
      ) : null}
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={t`Suggestions`}
        hidden={!shown}
        className={classes.list}
      >
        {shown
          ? suggestions.map((one, at) => (
              // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the box, as ARIA's combobox has it
              // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys
              <div
                key={one.text}
                id={optionId(at)}
                role="option"
                aria-selected={at === active}
                className={classes.option}
                ref={at === active ? (line) => line?.scrollIntoView({ block: "nearest" }) : null}
                // The press must not take the focus, or the list would be gone before the click.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(one)}
              >
                <span className={classes.name}>{one.label ?? one.text}</span>
                {one.note ? <span className={classes.note}>{one.note}</span> : null}
              </div>
            ))
          : null}
      </div>
    </div>
  );
}

function stepped(now: number, by: number, count: number): number {
  if (now < 0) return by > 0 ? 0 : count - 1;
  return (now + by + count) % count;
}

type Mistake = { position: number; length: number; detail: string | null };

/** Where the server found the mistake, in characters of the filter. */
function mistakeOf(error: unknown, filter: string): Mistake | null {
  if (!isProblem(error) || error.status !== 422) return null;
  const found = error.errors.find(
    ({ pointer, parameter }) => parameter === "filter" || pointer?.endsWith("filter"),
  );
  if (!found) return null;
  const position = Math.min(found.position ?? 0, filter.length);
  const length = found.position === undefined ? filter.length : Math.max(1, found.length ?? 1);
  return { position, length, detail: found.detail };
}

/** What can be chosen at the caret; asked from the server where only it knows. */
function useSuggestions(
  scope: RunScope,
  stage: ReturnType<typeof stageAt>,
  open: boolean,
): Suggestion[] {
  const { t } = useLingui();
  const [typed] = useDebouncedValue(stage.typed, 120);
  const value = stage.kind === "value" && /^(attributes|params|tags|datasets)\./.test(stage.field);
  const fields = useQuery({
    ...fieldsQuery(scope, fieldSearch(stage.kind === "field" ? typed : stage.field)),
    enabled: open && (stage.kind === "field" || stage.kind === "operator"),
  });
  const values = useQuery({
    ...fieldValuesQuery(scope, stage.field, typed.replace(/^["']/, "").replace(/["']$/, "")),
    enabled: open && value,
  });
  if (stage.kind === "field") return fieldSuggestions(fields.data?.items ?? [], stage.typed);
  if (stage.kind === "operator") {
    const own = fields.data?.items.find((field) => fieldName(field) === stage.field);
    return operatorSuggestions(stage, own?.type);
  }
  if (stage.kind === "joint") return jointSuggestions(stage);
  if (!value) return [];
  return valueSuggestions(
    stage,
    values.data?.items ?? [],
    (count) => t`${plural(count, { one: "# run", other: "# runs" })}`,
  );
}
