using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary><c>/schedules</c>: what it keeps and what it refuses.</summary>
public sealed class ScheduleEndpointTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private const string Path = "/api/v1/schedules";

    private static readonly HttpStatusCode[] Refusals =
        [HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed];

    private static readonly string Yaml = new SpecificationBuilder { Methods = "[average]" }.Yaml;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FolderObjectStore Store => new(System.IO.Path.Combine(gateway.Folder, "store"));

    [Fact]
    public async Task What_is_added_is_kept_with_what_its_sweeps_need()
    {
        var body = new { name = "kept", cron = "0 2 * * *", zone = "UTC", specification = Yaml, missed = "none", overlap = "queue" };
        using var response = await gateway.Client.PostAsJsonAsync(Path, body, Cancellation);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal($"{Path}/kept", response.Headers.Location?.ToString());

        var schedule = (await new ScheduleStore(Store).FindAsync("kept", Cancellation))!.Value.Schedule;
        Assert.Equal(("tiny", MissedTimes.None, ScheduleOverlap.Queue), (schedule.Title, schedule.Missed, schedule.Overlap));
        Assert.InRange(schedule.NextDue!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(-1), TimeSpan.FromDays(1));
        Assert.Equal(3, schedule.Inputs.Count);
        var artefacts = new ArtefactStore(Store);
        foreach (var hash in schedule.Inputs.Append(schedule.Specification).Append(schedule.Plan))
            Assert.NotNull(await artefacts.ReadAsync(hash, Cancellation));
        Assert.Empty(await new SweepStore(Store).ListAsync(Cancellation)); // adding runs nothing

        using var again = await gateway.Client.PostAsJsonAsync(Path, body, Cancellation);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        var now = await gateway.Client.PostAsync($"{Path}/kept/run-now", null, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, now.StatusCode);
        using var shown = JsonDocument.Parse(await gateway.Client.GetStringAsync($"{Path}/kept", Cancellation));
        var waiting = shown.RootElement.GetProperty("waiting").EnumerateArray().Single().GetProperty("sweep").GetString();
        Assert.Equal($"/api/v1/sweeps/{waiting}", now.Headers.Location?.ToString());
    }

    [Theory]
    [InlineData("missed is 'never'; it must be one of latest, all, none", "missed", "never")]
    [InlineData("missed is '1'; it must be one of", "missed", "1")]
    [InlineData("overlap is 'x'; it must be one of skip, queue, allow", "overlap", "x")]
    [InlineData("The hour '24'", "cron", "0 24 * * *")]
    [InlineData("There is no time zone", "zone", "")]
    [InlineData("can't be a schedule's name", "name", "")]
    [InlineData("architecture", "specification", "name: x")]
    [InlineData("not the expected JSON", "unknown", "x")]
    public async Task What_is_wrong_is_refused_with_the_reason(string reason, string key, string value)
    {
        var body = new Dictionary<string, string>
        {
            ["name"] = "refused",
            ["cron"] = "0 2 * * *",
            ["zone"] = "UTC",
            ["specification"] = Yaml,
            [key] = value,
        };
        using var response = await gateway.Client.PostAsJsonAsync(Path, body, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(reason, await ReadDetailAsync(response), StringComparison.Ordinal);
        Assert.Null(await new ScheduleStore(Store).FindAsync("refused", Cancellation));
    }

    [Fact]
    public async Task A_specification_that_is_too_large_is_refused()
    {
        var body = new { name = "large", cron = "0 2 * * *", zone = "UTC", specification = new string('#', 1024 * 1024 + 1) };
        using var response = await gateway.Client.PostAsJsonAsync(Path, body, Cancellation);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "")]
    [InlineData("GET", "/x")]
    [InlineData("DELETE", "/x")]
    [InlineData("POST", "/x/pause")]
    [InlineData("POST", "/x/resume")]
    [InlineData("POST", "/x/run-now")]
    public async Task Without_a_key_nothing_is_served_and_without_a_schedule_nothing_is_found(string method, string path)
    {
        using var client = new HttpClient { BaseAddress = gateway.Address };
        using var refused = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), Path + path), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        if (path.Length == 0) return;
        foreach (var name in new[] { "/x", "/%2e%2e", "/..%2fartefacts", "/A", "/a%00b" })
        {
            var request = new HttpRequestMessage(new HttpMethod(method), Path + path.Replace("/x", name, StringComparison.Ordinal));
            using var missing = await gateway.Client.SendAsync(request, Cancellation);
            Assert.Contains(missing.StatusCode, Refusals);
        }
    }

    [Fact]
    public async Task A_damaged_schedule_is_listed_as_such_and_can_be_removed()
    {
        await Store.TryCreateAsync(ScheduleStore.Prefix + "damaged", "{}"u8.ToArray(), Cancellation);
        var list = await gateway.Client.GetStringAsync(Path, Cancellation);
        Assert.Contains("is damaged. Remove it and add it again.", list, StringComparison.Ordinal);
        using var paused = await gateway.Client.PostAsync($"{Path}/damaged/pause", null, Cancellation);
        Assert.Contains("is damaged", await ReadDetailAsync(paused), StringComparison.Ordinal);
        using var removed = await gateway.Client.DeleteAsync($"{Path}/damaged", Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Null(await Store.ReadAsync(ScheduleStore.Prefix + "damaged", Cancellation));
    }

    [Fact]
    public async Task The_API_description_has_every_endpoint()
    {
        using var description = JsonDocument.Parse(await gateway.Client.GetStringAsync("/openapi/v1.json", Cancellation));
        var paths = description.RootElement.GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith(Path, StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name} {path.Name[Path.Length..]}"));
        string[] expected =
        [
            "get ",
            "post ",
            "get /{name}",
            "delete /{name}",
            "post /{name}/pause",
            "post /{name}/resume",
            "post /{name}/run-now",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), paths.Order(StringComparer.Ordinal));
    }

    private static async Task<string> ReadDetailAsync(HttpResponseMessage response)
    {
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return problem.GetProperty("detail").GetString()!;
    }
}
