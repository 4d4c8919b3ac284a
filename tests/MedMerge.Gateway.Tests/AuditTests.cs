using System.Net.Http.Json;
using MedMerge.Cli;
using MedMerge.Gateway.Access;
using MedMerge.Grains;
using MedMerge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MedMerge.Gateway.Tests;

/// <summary>Who has changed what is in the audit log and in the sweep's record.</summary>
public sealed class AuditTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changes_are_logged_with_user_and_result_and_reading_is_not()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(
            folder,
            $"--Authentication:ApiKeys:reader:Hash={RunningGateway.Hash("a key")}",
            "--Authentication:ApiKeys:reader:Role=viewer",
            $"--Authentication:ApiKeys:boss={RunningGateway.Hash("another key")}");
        using var log = new RecordingLogger();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);

        await SendAsync(app, HttpMethod.Get, "/api/v1/sweeps", "a key");
        await SendAsync(app, HttpMethod.Delete, "/api/v1/sweeps/x", "a key");
        await SendAsync(app, HttpMethod.Post, "/api/v1/sweeps/x%0Ay/pause", "another key");
        await SendAsync(app, HttpMethod.Post, "/api/v1/sweeps", key: null);

        Assert.Equal(
        [
            "reader: DELETE /api/v1/sweeps/x on /api/v1/sweeps/x: 403",
            "boss: POST /api/v1/sweeps/x%0Ay/pause on /api/v1/sweeps/x%0Ay/pause: 404",
            "nobody: POST /api/v1/sweeps on /api/v1/sweeps: 401",
        ],
        log.Lines.Where(line => line.Category == AuditLog.Category).Select(line => line.Message));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_sweep_keeps_who_submitted_it_and_who_changed_it()
    {
        var builder = new SpecificationBuilder { Name = "audited", Methods = "[scratch]" };
        var submission = new { specification = builder.WithEpochs(2000).Yaml };
        using var submitted = await gateway.Client.PostAsJsonAsync("/api/v1/sweeps", submission, Cancellation);
        var path = submitted.Headers.Location!.ToString();
        using var other = new HttpClient { BaseAddress = gateway.Address };
        other.DefaultRequestHeaders.Add("X-Api-Key", RunningGateway.OtherKey);
        (await other.PostAsync($"{path}/pause", null, Cancellation)).EnsureSuccessStatusCode();
        (await gateway.Client.PostAsync($"{path}/cancel", null, Cancellation)).EnsureSuccessStatusCode();
        (await other.PostAsync($"{path}/pause", null, Cancellation)).Dispose(); // changes nothing

        var status = await gateway.Client.GetFromJsonAsync<SweepStatus>(path, GatewayClient.Json, Cancellation);

        Assert.Equal("tests", status!.Submitter);
        Assert.Equal([("others", "pause"), ("tests", "cancel")], status.Steering!.Select(step => (step.User, step.Action)));
    }

    private static async Task SendAsync(WebApplication app, HttpMethod method, string path, string? key)
    {
        using var client = RunningGateway.CreateClient(app);
        if (key is not null) client.DefaultRequestHeaders.Add("X-Api-Key", key);
        using var request = new HttpRequestMessage(method, path);
        (await client.SendAsync(request, Cancellation)).Dispose();
    }
}
