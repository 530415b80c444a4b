import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type AnyRouter, RouterProvider } from "@tanstack/react-router";
import { useEffect } from "react";
import { activate } from "@/app/i18n";
import { styleNonce } from "@/app/style-nonce";
import { themeManager } from "@/app/theme-manager";
import { usePreferences } from "@/ui/preferences";
import { cssVariablesResolver, theme } from "@/ui/theme";

type Props = {
  queryClient: QueryClient;
  router: AnyRouter;
  /** `test` leaves out transitions and portals that tests would only wait for. */
  env?: "default" | "test";
};

/** Everything a page stands in: language, theme, server state, routes. */
export function Application({ queryClient, router, env = "default" }: Props) {
  const { language } = usePreferences();
  useEffect(() => {
    void activate(language);
  }, [language]);
  return (
    <I18nProvider i18n={i18n}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariablesResolver}
        colorSchemeManager={themeManager}
        getStyleNonce={styleNonce}
        defaultColorScheme="auto"
        env={env}
      >
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
          <Notifications position="bottom-right" limit={4} />
        </QueryClientProvider>
      </MantineProvider>
    </I18nProvider>
  );
}
