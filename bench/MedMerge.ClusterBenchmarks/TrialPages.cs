using System.Diagnostics;
using System.Globalization;
using System.Net;
using MedMerge.Testing;
using Microsoft.Playwright;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// The page of a sweep of many trials that runs: how soon it is painted and shows a change, and whether the gateway's memory grows while
/// ten viewers watch it.
/// </summary>
internal static class TrialPages
{
    private const int Images = 60;
    private const int Rounds = 10;
    private const int Viewers = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Measures.</summary>
    /// <param name="duration">How long ten viewers watch.</param>
    /// <returns>Tables as Markdown.</returns>
    public static async Task<string> MeasureAsync(int trials, TimeSpan duration)
    {
        await using var sweep = await EmptySweep.StartAsync(trials, Images, Pause);
        var address = new Uri($"http://127.0.0.1:{FreePorts.Take()}");
        using var gateway = StartGateway(sweep.Connection, address);
        try
        {
            using var http = new HttpClient { BaseAddress = address };
            await ReadyAsync(http);
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = "/usr/bin/chromium",
                Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            });
            var page = new Uri(address, $"/sweeps/{sweep.Id}").ToString();
            await PaintAsync(browser, page); // compiles what it runs
            var paints = new List<Paint>();
            for (var round = 0; round < Rounds; round++) paints.Add(await PaintAsync(browser, page));
            Report("Painted");
            var updates = await UpdatesAsync(browser, page, http, sweep.Id);
            Report("Updated");
            var memory = await MemoryAsync(browser, page, gateway, duration);
            return $"""
                | of {Rounds} | median | largest |
                | --- | ---: | ---: |
                {Row("first contentful paint in ms", paints.Select(paint => paint.First))}
                {Row("the sweep's state and counts are seen, in ms", paints.Select(paint => paint.State))}
                {Row("the first rows of the trials are seen, in ms", paints.Select(paint => paint.Rows))}
                {Row("a pause or its end is seen after the API's answer, in ms", updates)}

                | minutes of {Viewers} viewers | trials done | memory of the gateway in MB |
                | ---: | ---: | ---: |
                {string.Join('\n', memory)}
                """;
        }
        finally
        {
            gateway.Kill();
            await gateway.WaitForExitAsync();
        }
    }

    private static string Row(string what, IEnumerable<double> times)
    {
        var sorted = times.Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"| {what} | {sorted[sorted.Count / 2]:0} | {sorted[^1]:0} |");
    }

    private static void Report(string what) => Console.Error.WriteLine($"{DateTime.Now:T} {what}");

    private static Process StartGateway(string connection, Uri address)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Program("MedMerge.Gateway")])
        {
            Environment =
            {
                ["Orleans__ClusterId"] = SiloOfTrials.ClusterId,
                ["Orleans__ServiceId"] = SiloOfTrials.ClusterId,
                ["ConnectionStrings__blobs"] = connection,
                ["ASPNETCORE_URLS"] = address.ToString(),
                ["Logging__LogLevel__Default"] = "Warning",
            },
            RedirectStandardOutput = true,
        };
        var gateway = Process.Start(start)!;
        gateway.OutputDataReceived += (_, line) => Console.Error.WriteLine(line.Data);
        gateway.BeginOutputReadLine();
        return gateway;
    }

    private static async Task ReadyAsync(HttpClient http)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), deadline.Token);
                if (answer.StatusCode == HttpStatusCode.OK) return;
            }
            catch (HttpRequestException)
            {
                // not yet
            }
            await Task.Delay(TimeSpan.FromSeconds(0.2), deadline.Token);
        }
    }

    private static async Task<Paint> PaintAsync(IBrowser browser, string address)
    {
        await using var context = await browser.NewContextAsync(); // with a cache of its own
        var page = await context.NewPageAsync();
        var begin = Stopwatch.GetTimestamp();
        await page.GotoAsync(address, new() { WaitUntil = WaitUntilState.Commit });
        await page.GetByRole(AriaRole.Status).First.WaitForAsync();
        var state = Stopwatch.GetElapsedTime(begin);
        await page.GetByRole(AriaRole.Region, new() { Name = "Trials" }).GetByRole(AriaRole.Link).First.WaitForAsync();
        var rows = Stopwatch.GetElapsedTime(begin);
        var first = await page.EvaluateAsync<double>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
        return new Paint(first, state.TotalMilliseconds, rows.TotalMilliseconds);
    }

    private static async Task<List<double>> UpdatesAsync(IBrowser browser, string address, HttpClient http, string id)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync(address);
        var state = page.GetByRole(AriaRole.Status).First;
        var times = new List<double>();
        for (var round = 0; round < Rounds / 2; round++)
        {
            foreach (var (verb, text) in new[] { ("pause", "paused"), ("resume", "running") })
                times.Add(await UpdateAsync(verb, text));
        }
        await page.CloseAsync();
        return times;

        async Task<double> UpdateAsync(string verb, string text)
        {
            await Task.Delay(TimeSpan.FromSeconds(3)); // of ordinary updates
            using var answer = await http.PostAsync(new Uri($"/api/v1/sweeps/{id}/{verb}", UriKind.Relative), content: null);
            answer.EnsureSuccessStatusCode();
            var begin = Stopwatch.GetTimestamp();
            await state.GetByText(text).WaitForAsync();
            return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        }
    }

    private static async Task<List<string>> MemoryAsync(IBrowser browser, string address, Process gateway, TimeSpan duration)
    {
        var pages = new List<IPage>();
        for (var viewer = 0; viewer < Viewers; viewer++)
        {
            var page = await browser.NewPageAsync();
            await page.GotoAsync(address);
            pages.Add(page);
        }
        var rows = new List<string>();
        var begin = Stopwatch.GetTimestamp();
        for (var minute = 0; minute <= duration.TotalMinutes; minute++)
        {
            var rest = TimeSpan.FromMinutes(minute) - Stopwatch.GetElapsedTime(begin);
            if (rest > TimeSpan.Zero) await Task.Delay(rest);
            gateway.Refresh();
            var counts = await pages[0].Locator(".counts p").InnerTextAsync();
            var done = counts.Split(' ')[0];
            rows.Add($"| {minute} | {done} | {gateway.WorkingSet64 / 1_000_000} |");
            Report(rows[^1]);
        }
        return rows;
    }

    /// <summary>Times from the request on, in ms.</summary>
    private sealed record Paint(double First, double State, double Rows);
}
