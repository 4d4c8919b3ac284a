using Microsoft.Playwright;

namespace MedMerge.Cluster.Tests;

/// <summary>The dashboard's pages in a real browser, Debian's Chromium. Pictures go to the folder of MEDMERGE_PICTURES, if it is set.</summary>
internal sealed class DashboardPages : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private const float Patience = 60_000;
    private const string Charted = "medmerge.step.duration";
    private const int Width = 1500, Height = 900;
    private readonly DashboardServer _dashboard;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly IPage _page;

    private DashboardPages(DashboardServer dashboard, IPlaywright playwright, IBrowser browser, IPage page) => (_dashboard, _playwright, _browser, _page) = (dashboard, playwright, browser, page);

    /// <summary>Opens a browser; skips the test where there is none.</summary>
    public static async Task<DashboardPages> OpenAsync(DashboardServer dashboard)
    {
        if (!File.Exists(Chromium)) Assert.Skip("Chromium is not installed (Debian: apt-get install chromium); what the telemetry API tells was checked.");
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = Width, Height = Height } });
        page.SetDefaultTimeout(Patience);
        return new DashboardPages(dashboard, playwright, browser, page);
    }

    /// <summary>Looks at the list of traces and at one of them; the trial's spans must be on the page.</summary>
    public async Task TracesAsync(string trace, string picture)
    {
        await _page.GotoAsync(new Uri(_dashboard.Pages, "/traces").ToString());
        await _page.GetByText("trial 1: medmerge, seed 0").First.WaitForAsync();
        await PictureAsync(picture);
        await _page.SetViewportSizeAsync(Width, Height * 3); // the page draws only the rows that are seen
        await _page.GotoAsync(new Uri(_dashboard.Pages, $"/traces/detail/{trace}").ToString());
        await _page.GetByText("initialise compute").First.WaitForAsync();
        await PictureAsync($"{picture}-trial");
    }

    /// <summary>The names of MedMerge's instruments that some of these processes have sent.</summary>
    public async Task<HashSet<string>> MetricsAsync(IEnumerable<string> resources, string picture)
    {
        var names = new HashSet<string>();
        foreach (var resource in resources)
        {
            await _page.SetViewportSizeAsync(Width, Height);
            await _page.GotoAsync(new Uri(_dashboard.Pages, $"/metrics/resource/{resource}?meter=MedMerge").ToString());
            await _page.GetByText("medmerge.device.busy").First.WaitForAsync();
            foreach (var text in await _page.GetByText("medmerge.").AllInnerTextsAsync()) names.Add(text.Trim());
            if (!names.Contains(Charted)) continue;
            await _page.GotoAsync(new Uri(_dashboard.Pages, $"/metrics/resource/{resource}?meter=MedMerge&instrument={Charted}").ToString());
            await PictureAsync(picture);
        }
        return names;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("MEDMERGE_PICTURES") is not { Length: > 0 } folder) return;
        await Task.Delay(1500); // the page draws its bars after its text
        await _page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
    }
}
