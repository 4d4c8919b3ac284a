using Microsoft.Playwright;

namespace MedMerge.AppHost.Tests;

/// <summary>A walk through the pages of the app host's own gateway, by the roles and labels that screen readers go by.</summary>
public sealed class PagesTests(RunningAppHost host)
{
    [Theory]
    [InlineData(1280, 900, ColorScheme.Light, "desktop-light")]
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
        await pages.FillAsync("Search trials", "medmerge");
        await pages.SeeAsync("1 of 3 trials.");
        await pages.CheckAsync($"page-sweep-{picture}");
        await pages.FollowAsync("1", "Trial 1: medmerge");
        await pages.SeeAsync("Learning curves");
        await pages.CheckAsync($"page-trial-{picture}");
        await pages.FollowAsync("paged", "paged");
        await pages.SeeAsync("Scores by seed");
        await pages.CheckAsync($"page-scenario-{picture}");
        await pages.Page.GoBackAsync();
        await pages.SeeHeadingAsync("Trial 1: medmerge");

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
        pages.AssertNoProblem();
    }

    [Fact]
    public async Task A_specification_is_checked_while_it_is_typed_and_then_submitted_paused_and_cancelled()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Dark);
        await pages.GoAsync("/submit", "Submit a specification");
        var text = pages.Page.GetByLabel("Specification (YAML)");
        await text.FillAsync("name: typed\nmethods: [nonsense]\n");
        await pages.SeeAsync("line 2:");
        await pages.CheckAsync("page-submit-errors");

        await text.FillAsync(TestSweeps.Yaml[TestSweeps.Endless].Replace("endless", "typed", StringComparison.Ordinal));
        await pages.SeeAsync("No error.");
        await pages.Page.GetByRole(AriaRole.Button, new() { Name = "Dry run" }).ClickAsync();
        await pages.SeeAsync("What would be computed");
        await pages.CheckAsync("page-submit");
        await pages.Page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await pages.SeeHeadingAsync("typed");

        await PressAsync("Pause", "paused");
        await PressAsync("Resume", "running");
        await PressAsync("Cancel", "cancelled");
        pages.AssertNoProblem();

        async Task PressAsync(string button, string state)
        {
            await pages.Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
            await Browser.SeeAsync(pages.Page.GetByRole(AriaRole.Status).GetByText(state).First);
        }
    }

    [Fact]
    public async Task What_is_not_there_is_said()
    {
        Browser.Need();
        await host.HealthyAsync();
        await using var pages = await GatewayPages.OpenAsync(host.Gateway, width: 1280, height: 900, ColorScheme.Light);
        await pages.GoAsync("/sweeps/no-such-sweep", "There is no such page");
        await pages.GoAsync("/nonsense", "There is no such page");
        await pages.GoAsync("/compare?trial=no-such-sweep/1", "Compare");
        await pages.SeeAsync("There is no trial 'no-such-sweep/1'.");
    }
}
