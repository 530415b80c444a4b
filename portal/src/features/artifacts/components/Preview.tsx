import { useLingui } from "@lingui/react/macro";
import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { Entry } from "@/api/generated/models/entry";
import { address } from "@/api/http";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { MarkdownView } from "@/ui/MarkdownView";
import { kindOf, limits } from "../kinds";
import { fileAddress, nameOf } from "../paths";
import { contentQuery } from "../queries";
import { useSizeText } from "../size-text";
import classes from "./Artifacts.module.css";
import { ImagePreview } from "./ImagePreview";
import { JsonPreview } from "./JsonPreview";
import { ServerTable } from "./ServerTable";
import { TablePreview } from "./TablePreview";
import { TextPreview } from "./TextPreview";

type Props = { runId: string; file: Entry };

/** What is in a file, shown so that nothing of it can run. */
export function Preview({ runId, file }: Props) {
  const { t } = useLingui();
  const size = useSizeText();
  const kind = kindOf(file.path, file.media_type);
  const bytes = file.size ?? 0;
  const name = nameOf(file.path);
  if (bytes === 0) return <NoPreview reason={t`the file is empty`} />;
  const tooLarge = (limit: number) =>
    bytes > limit ? <NoPreview reason={t`it is larger than ${size(limit)}`} /> : null;
  const source = address(fileAddress(runId, file.path));

  switch (kind) {
    case "image":
      return tooLarge(limits.image) ?? <ImagePreview source={source} name={name} />;
    case "svg":
      return (
        tooLarge(limits.svg) ?? (
          <Content runId={runId} file={file} limit={limits.svg}>
            {(blob) => <SvgPreview blob={blob} name={name} />}
          </Content>
        )
      );
    case "pdf":
      return (
        tooLarge(limits.pdf) ?? (
          <Content runId={runId} file={file} limit={limits.pdf}>
            {(blob) => <PdfPreview blob={blob} name={name} />}
          </Content>
        )
      );
    case "audio":
      // biome-ignore lint/a11y/useMediaCaption: people's recordings come without captions
      return <audio controls preload="metadata" src={source} className={classes.media} />;
    case "video":
      // biome-ignore lint/a11y/useMediaCaption: people's recordings come without captions
      return <video controls preload="metadata" src={source} className={classes.media} />;
    case "html":
      return (
        tooLarge(limits.html) ?? (
          <TextOf runId={runId} file={file} limit={limits.html}>
            {(text) => <PagePreview text={text} name={name} />}
          </TextOf>
        )
      );
    case "markdown":
      return (
        tooLarge(limits.markdown) ?? (
          <TextOf runId={runId} file={file} limit={limits.markdown}>
            {(text) => <MarkdownView text={text} />}
          </TextOf>
        )
      );
    case "json":
      return bytes > limits.json ? (
        <PartOfText runId={runId} file={file} />
      ) : (
        <TextOf runId={runId} file={file} limit={limits.json}>
          {(text) => <JsonPreview text={text} label={name} />}
        </TextOf>
      );
    case "table":
      if (bytes > limits.table && file.id && file.sha256) {
        return <ServerTable artifactId={file.id} sha256={file.sha256} label={name} />;
      }
      return (
        <TextOf runId={runId} file={file} limit={limits.table}>
          {(text) => <TablePreview text={text} whole={bytes <= limits.table} label={name} />}
        </TextOf>
      );
    case "text":
      return <PartOfText runId={runId} file={file} />;
    case "parquet":
      return file.id && file.sha256 ? (
        <ServerTable artifactId={file.id} sha256={file.sha256} label={name} />
      ) : null;
    case "none":
      return <NoPreview reason={t`the portal knows no way to show files of this kind`} />;
  }
}

function NoPreview({ reason }: { reason: string }) {
  const { t } = useLingui();
  return <Text c="dimmed">{t`No preview, because ${reason}.`}</Text>;
}

function PartOfText({ runId, file }: Props) {
  const { t } = useLingui();
  const size = useSizeText();
  const bytes = file.size ?? 0;
  return (
    <TextOf runId={runId} file={file} limit={limits.text}>
      {(text) => (
        <TextPreview
          text={text}
          label={nameOf(file.path)}
          note={
            bytes > limits.text
              ? t`The first ${size(limits.text)} of ${size(bytes)} are shown.`
              : null
          }
        />
      )}
    </TextOf>
  );
}

type ContentProps<Value> = Props & { limit: number; children: (content: Value) => ReactNode };

function Content({ runId, file, limit, children }: ContentProps<Blob>) {
  const content = useQuery(contentQuery(runId, file, limit));
  if (content.error) {
    return <ErrorNotice error={content.error} onRetry={() => void content.refetch()} />;
  }
  return content.data ? children(content.data) : <Skeleton height="12rem" />;
}

function TextOf({ children, ...props }: ContentProps<string>) {
  return <Content {...props}>{(blob) => <Decoded blob={blob}>{children}</Decoded>}</Content>;
}

function Decoded({ blob, children }: { blob: Blob; children: (text: string) => ReactNode }) {
  const { t } = useLingui();
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void blob.arrayBuffer().then((bytes) => {
      if (isCurrent) setText(decoded(new Uint8Array(bytes)));
    });
    return () => {
      isCurrent = false;
    };
  }, [blob]);
  if (text === null) return <Skeleton height="12rem" />;
  // Text has no NUL, whatever its name says.
  if (text.includes("\0")) return <NoPreview reason={t`what is in it is not text`} />;
  return children(text);
}

function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const utf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = utf16 ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function useObjectUrl(blob: Blob, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([blob], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob, type]);
  return url;
}

/** In an `<img>`, where a browser runs no script of a picture and fetches nothing for it. */
function SvgPreview({ blob, name }: { blob: Blob; name: string }) {
  const url = useObjectUrl(blob, "image/svg+xml");
  return url ? <ImagePreview source={url} name={name} /> : null;
}

function PdfPreview({ blob, name }: { blob: Blob; name: string }) {
  const { t } = useLingui();
  const [isPdf, setPdf] = useState<boolean | null>(null);
  const url = useObjectUrl(blob, "application/pdf");
  useEffect(() => {
    void blob
      .slice(0, 5)
      .text()
      .then((start) => setPdf(start === "%PDF-"));
  }, [blob]);
  if (isPdf === false) return <NoPreview reason={t`what is in it is not a PDF`} />;
  if (!isPdf || !url) return null;
  if (!navigator.pdfViewerEnabled) return <NoPreview reason={t`this browser shows no PDF`} />;
  return <iframe src={url} title={name} className={classes.frame} />;
}

// Said in the page itself too, so that it asks nobody for anything: who reads it is nobody's business.
const policy =
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; ' +
  "font-src data:; style-src 'unsafe-inline'\">";

function PagePreview({ text, name }: { text: string; name: string }) {
  const { t } = useLingui();
  const page = useMemo(() => `<!doctype html>${policy}${text}`, [text]);
  return (
    <div>
      <iframe sandbox="" srcDoc={page} title={name} className={classes.frame} />
      <Text size="sm" c="dimmed" mt="xs">
        {t`Scripts of the page do not run here, and it fetches nothing. Download it to see all of it.`}
      </Text>
    </div>
  );
}
