import { useLingui } from "@lingui/react/macro";
import { Checkbox, SimpleGrid } from "@mantine/core";
import type { EventType } from "@/api/generated/models/eventType";
import { eventNames, eventTypes } from "../words";

type Props = {
  label: string;
  value: EventType[];
  onChange: (types: EventType[]) => void;
  error: string | undefined;
};

/** The events that one may be told of, to choose from. */
export function EventChoice({ label, value, onChange, error }: Props) {
  const { t } = useLingui();
  return (
    <Checkbox.Group<EventType> label={label} value={value} onChange={onChange} error={error}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" mt="xs">
        {eventTypes.map((type) => (
          <Checkbox key={type} value={type} label={t(eventNames[type])} />
        ))}
      </SimpleGrid>
    </Checkbox.Group>
  );
}
