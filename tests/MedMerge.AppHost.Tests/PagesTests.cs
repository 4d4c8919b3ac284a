using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using MedMerge.Experiments.Benchmarks;
using MedMerge.Storage.Benchmarks;
using MedMerge.Testing;
using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>A walk through the pages of the app host's own gateway, by the roles and labels that screen readers go by.</summary>
public sealed class PagesTests(RunningAppHost host)
{
    private const string Editor = "Specification (YAML)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1280, 900, ColorScheme.Light, "desktop-light")]
    [InlineData(1280, 900, ColorScheme.Dark, "desktop-dark")]
    [InlineData(390, 844, ColorScheme.Light, "phone-light")]
    [InlineData(390, 844, ColorScheme.Dark, "phone-dark")]
    public async Task Every_page_is_found_read_and_used(int width, int height, ColorScheme colours, string picture)
    {
        Browser.Need();
        await host.HealthyAsync();
        var id = await host.StartSweepAsync(TestSweeps.Paged);
        await host.SweepAsync(id, state => state.StartsWith("Done", StringComparison.Ordinal));
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width, height, colours);

        await pages.GoAsync("/", "Sweeps");
        await pages.FillAsync("Search", id);
        await pages.SeeAsync("1 of ");
        await pages.CheckAsync($"page-sweeps-{picture}");

        await pages.GoAsync($"/sweeps/{id}", "paged");
        await pages.SeeAsync("3 of 3 trials.");
        await pages.SeeAsync("is synthetic: drawn by seed"); // among the notes
        await pages.FillAsync("Search trials", "medmerge");
        await pages.SeeAsync("1 of 3 trials.");
        await pages.CheckAsync($"page-sweep-{picture}");
        await pages.GoAsync(new Uri(pages.Page.Url).PathAndQuery, "paged");
        await pages.SeeAsync("1 of 3 trials."); // its address can be shared
        await pages.FollowAsync("1", "Trial 1: medmerge");
        await pages.SeeAsync("Learning curves");
        await pages.CheckAsync($"page-trial-{picture}");
        await pages.FollowAsync("paged", "paged");
        await pages.SeeAsync("Scores by seed");
        await pages.CheckAsync($"page-scenario-{picture}");
        await pages.Page.GoBackAsync();
        await pages.SeeHeadingAsync("Trial 1: medmerge");

        await pages.GoAsync("/submit", "Submit a specification");
        await pages.CheckAsync($"page-submit-{picture}");
        await pages.GoAsync($"/sweeps/{id}/files", "Models and other files");
        await pages.SeeAsync("merged.safetensors");
        await pages.CheckAsync($"page-files-{picture}");
        await pages.GoAsync($"/compare?trial={id}/1&trial={id}/2", "Compare");
        await pages.SeeAsync("macro F1");
        await pages.CheckAsync($"page-compare-{picture}");

        foreach (var name in (string[])["Benchmarks", "Schedules", "Nodes", "Store"])
        {
            await pages.FollowAsync(name, name);
            await pages.CheckAsync($"page-{name.ToLowerInvariant()}-{picture}");
        }
        await pages.FillAsync("Keep those of the last days", "1");
        await pages.PressAsync("Show what would be removed");
        await pages.SeeAsync("0 sweeps would be removed");
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task A_specification_is_checked_while_it_is_typed_and_then_submitted_paused_extended_and_cancelled()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Dark);
        await pages.GoAsync("/submit", "Submit a specification");
        await pages.FillAsync(Editor, "name: typed\nmethods: [nonsense]\n");
        await pages.SeeAsync("line 2:");
        await Assertions.Expect(pages.Page.Locator(".editor .wrong")).ToHaveTextAsync(["1", "2"]); // the first for what is missing
        await pages.CheckAsync("page-submit-errors");

        await pages.FillAsync(Editor, TestSweeps.Steered.Yaml);
        await pages.SeeAsync("No error.");
        await pages.PressAsync("Dry run");
        await pages.SeeAsync("What would be computed");
        await pages.CheckAsync("page-submit");
        await pages.PressAsync("Submit");
        await pages.SeeHeadingAsync("steered");
        await pages.SeeAsync("1 of 1 trials.");

        await pages.PressAsync("Pause");
        await pages.SeeStatusAsync("paused");
        await pages.PressAsync("Resume");
        await pages.SeeStatusAsync("running");
        await pages.FollowAsync("Extend", "Extend steered");
        await Assertions.Expect(pages.Page.GetByLabel(Editor)).ToHaveValueAsync(TestSweeps.Steered.Yaml);
        await pages.FillAsync(Editor, (TestSweeps.Steered with { Seeds = 2 }).Yaml);
        await pages.SeeAsync("No error.");
        await pages.PressAsync("Extend");
        await pages.SeeHeadingAsync("steered");
        await pages.SeeAsync("2 of 2 trials.");

        await pages.PressAsync("Cancel");
        await pages.SeeStatusAsync("cancelled");
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task A_sweep_is_limited_its_trials_skipped_and_taken_back_and_in_the_end_it_is_removed()
    {
        Browser.Need();
        await host.HealthyAsync();
        var yaml = (TestSweeps.Steered with { Name = "limited", SourceImages = 40, Seeds = 2 }).Yaml;
        using var http = new HttpClient { BaseAddress = host.Gateway };
        using var submitted = await http.PostAsJsonAsync("/api/v1/sweeps", new { specification = yaml }, Cancellation);
        submitted.EnsureSuccessStatusCode();
        var id = (await submitted.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 390, height: 844, ColorScheme.Dark);

        await pages.GoAsync($"/sweeps/{id}", "limited");
        await pages.FillAsync("Trials at a time", "1");
        await pages.FillAsync("Priority", "-3");
        await pages.FillAsync("Device hours", "0.5");
        await pages.PressAsync("Change limits");
        await pages.SeeAsync("of 0.5 h");
        await Assertions.Expect(pages.Page.Locator("dl.facts").First).ToContainTextAsync("-3");

        await pages.GoAsync($"/sweeps/{id}/trials/2", "Trial 2: medmerge, seed 1");
        await pages.PressAsync("Skip");
        await pages.SeeStatusAsync("cancelled");
        await pages.SeeAsync("It was skipped.");
        await pages.PressAsync("Retry");
        await Browser.SeeAsync(pages.Page.GetByRole(AriaRole.Button, new() { Name = "Skip" })); // it waits again

        await pages.GoAsync($"/sweeps/{id}", "limited");
        await pages.PressAsync("Cancel");
        await pages.SeeStatusAsync("cancelled");
        await pages.PressAsync("Remove");
        await pages.PressAsync("Really remove it with its results?");
        await pages.SeeHeadingAsync("Sweeps");
        await pages.GoAsync($"/sweeps/{id}", "There is no such page");
    }

    [Fact]
    public async Task A_run_that_is_flagged_is_accepted()
    {
        Browser.Need();
        await host.HealthyAsync();
        var code = new BenchmarkCode("1", "build", new Dictionary<string, string>());
        var verdict = new BenchmarkVerdict("before", false, [], [], [], [new BenchmarkFinding(FindingKind.Score, "medmerge is worse")]);
        const string Id = "20260504t020000z";
        var run = new BenchmarkRun("flagged", Id, $"flagged-{Id}", "flagged", code, "spec", "plan", [], "stages", [], null, verdict);
        await new BenchmarkStore(await host.OpenStoreAsync()).TryCreateAsync(run, Cancellation);
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);

        await pages.GoAsync("/benchmarks/flagged", "flagged");
        await pages.SeeAsync("medmerge is worse");
        await pages.CheckAsync("page-benchmark-flagged");
        await pages.PressAsync("Accept");
        await pages.SeeAsync("accepted");
        await Assertions.Expect(pages.Page.GetByRole(AriaRole.Button, new() { Name = "Accept" })).ToHaveCountAsync(0);
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task A_table_is_searched_and_sorted_by_keyboard_and_a_link_to_its_page_shows_all_again()
    {
        Browser.Need();
        await host.HealthyAsync();
        var id = await host.StartSweepAsync(TestSweeps.Paged);
        await host.SweepAsync(id, state => state.StartsWith("Done", StringComparison.Ordinal));
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);
        await pages.GoAsync("/", "Sweeps");
        await pages.SeeAsync("Submitted");
        var heading = pages.Page.GetByRole(AriaRole.Heading, new() { Level = 1 });
        await Assertions.Expect(heading).ToBeFocusedAsync(); // where screen readers begin
        await pages.Page.Keyboard.PressAsync("Tab");
        await pages.Page.Keyboard.TypeAsync(id);
        await pages.SeeAsync("1 of ");
        await pages.Page.GetByRole(AriaRole.Columnheader, new() { Name = "State" }).Locator("fluent-button").First.FocusAsync();
        await pages.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(pages.Page).ToHaveURLAsync(new Regex($@"\?search={id}&sort=-?state$"));
        await pages.GoAsync(new Uri(pages.Page.Url).PathAndQuery, "Sweeps"); // the address can be shared
        await pages.SeeAsync("1 of ");
        var state = pages.Page.GetByRole(AriaRole.Columnheader, new() { Name = "State" });
        await Assertions.Expect(state).ToHaveAttributeAsync("aria-sort", new Regex("^(a|de)scending$"));
        await pages.FollowAsync("MedMerge", "Sweeps");
        await Assertions.Expect(pages.Page.GetByLabel("Search")).ToHaveValueAsync("");
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task A_data_set_is_uploaded_and_planned_with()
    {
        Browser.Need();
        await host.HealthyAsync();
        var folder = Directory.CreateTempSubdirectory("medmerge-pages-");
        try
        {
            var file = NpzFile.Write(folder.FullName, train: 24);
            await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);
            await pages.GoAsync("/submit", "Submit a specification");
            const string synthetic = "data: 'phantom:lesions', trainImages: 24";
            await pages.FillAsync(Editor, TestSweeps.Steered.Yaml.Replace(synthetic, "data: set.npz", StringComparison.Ordinal));
            await pages.SeeAsync("missing");
            await pages.Page.GetByLabel("File for set.npz").SetInputFilesAsync(file);
            await pages.SeeAsync("set.npz is uploaded.");
            await pages.PressAsync("Dry run");
            await pages.SeeAsync("What would be computed");
            pages.AssertNoProblem();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_schedule_is_run_now_and_paused_and_its_benchmark_has_a_history()
    {
        Browser.Need();
        await host.HealthyAsync();
        using var http = new HttpClient { BaseAddress = host.Gateway };
        var yaml = (Specifications.Tiny with { Name = "walked", SourceImages = 39, Seeds = 2 }).Yaml;
        var schedule = new { name = "walked", cron = "0 2 * * *", zone = "Europe/Berlin", specification = yaml };
        using var added = await http.PostAsJsonAsync("/api/v1/schedules", schedule, Cancellation);
        added.EnsureSuccessStatusCode();

        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);
        await RunNowAsync();
        await pages.GoAsync("/benchmarks", "Benchmarks"); // it follows: the run appears once it is recorded
        await pages.FollowAsync("walked", "walked");
        await RunNowAsync();
        await pages.PressAsync("Pause");
        await pages.SeeAsync("'walked' is paused.");
        await pages.CheckAsync("page-schedule");
        await pages.GoAsync("/benchmarks/walked", "walked");
        await pages.SeeAsync("on the test images by run"); // a chart, from the second run on
        await pages.CheckAsync("page-benchmark");
        pages.AssertNoProblem();

        async Task RunNowAsync()
        {
            await pages.GoAsync("/schedules", "Schedules");
            await pages.PressAsync("Run now");
            await pages.SeeAsync("'walked' runs now");
        }
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Every_state_can_be_read(ColorScheme colours)
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, colours);
        await pages.GoAsync("/nodes", "Nodes");
        await pages.Page.Locator("main").EvaluateAsync("""
            main => {
                const states = "waiting running done stoppedearly failed quarantined paused cancelled damaged";
                for (const state of states.split(" "))
                    main.insertAdjacentHTML("beforeend", `<p><span class="state ${state}">${state}</span></p>`);
                main.insertAdjacentHTML("beforeend", `<p class="problems">a problem</p><p class="fine">fine</p><p class="soft">soft</p>`);
            }
            """);
        await pages.CheckAsync($"page-states-{colours}");
    }

    [Fact]
    public async Task A_page_that_the_gateway_no_longer_knows_is_loaded_again()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 390, height: 844, ColorScheme.Light);
        await pages.GoAsync("/nodes", "Nodes");
        var dialog = pages.Page.Locator("#components-reconnect-modal");
        await dialog.EvaluateAsync("dialog => dialog.classList.add('components-reconnect-failed')");
        await pages.CheckAsync("page-lost");
        await pages.PressAsync("Load it again");
        await Assertions.Expect(dialog).ToBeHiddenAsync();
        await pages.SeeHeadingAsync("Nodes");

        // As Blazor says it once the gateway was started again.
        await pages.Page.EvaluateAsync("window.isOld = true");
        const string rejected = "new CustomEvent('components-reconnect-state-changed', { detail: { state: 'rejected' } })";
        await dialog.EvaluateAsync($"dialog => dialog.dispatchEvent({rejected})");
        await pages.Page.WaitForFunctionAsync("!window.isOld");
        await pages.SeeHeadingAsync("Nodes");
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task What_is_not_there_is_said()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);
        await pages.GoAsync("/sweeps/no-such-sweep", "There is no such page");
        await pages.GoAsync("/nonsense", "There is no such page");
        await pages.CheckAsync("page-not-found");
        await pages.GoAsync("/compare?trial=no-such-sweep/1", "Compare");
        await pages.SeeAsync("There is no trial 'no-such-sweep/1'.");
    }
}
