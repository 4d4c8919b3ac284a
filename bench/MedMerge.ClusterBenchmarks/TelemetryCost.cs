using System.Globalization;
using MedMerge.Benchmarks;
using MedMerge.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// An epoch of weight learning through the grains of one silo, with traces and metrics sent by OTLP and without (an
/// epoch writes no log). The goal: telemetry costs less than 2 %. What takes the telemetry is in this process too, so
/// its work counts against the goal.
/// </summary>
internal static class TelemetryCost
{
    /// <summary>So many in one timing: what is sent every second must happen in it.</summary>
    private const int Epochs = 4;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);

    /// <summary>Both in turns, and the medians, as Markdown.</summary>
    public static async Task<string> MeasureAsync(int rounds)
    {
        var received = 0L;
        await using var sink = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Error"]).Build();
        sink.MapPost("/{**signal}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            Interlocked.Add(ref received, body.Length);
            return Results.Ok();
        });
        await sink.StartAsync();

        var epoch = new KernelWeightEpoch();
        await epoch.SetupAsync(_ => { }); // grain calls carry traces in both; without a listener there are none
        var turns = await Turns.TakeAsync(rounds, () => WithoutTelemetryAsync(epoch), () => WithTelemetryAsync(sink.Urls.Single(), epoch));
        await epoch.CleanupAsync();
        var (without, with) = turns.Medians;
        var kibibytes = received / 1024.0 / (rounds + 2);
        return string.Create(CultureInfo.InvariantCulture, $"""
            The same epoch {Epochs} times through the grains of one silo, medians of {rounds} turns;
            {kibibytes:0} KiB of telemetry a turn, sent every second as an app host asks for

            | | ms |
            | --- | ---: |
            | without telemetry | {without:0.0} |
            | with traces and metrics sent by OTLP, what takes them included | {with:0.0} |
            | ratio of the medians | {with / without:0.000} |
            | median of the turns' ratios (quartiles) | {turns.Ratio:0.000} ({turns.Quartiles.Lower:0.000}, {turns.Quartiles.Upper:0.000}) |

            """);
    }

    private static async Task<double> WithoutTelemetryAsync(KernelWeightEpoch epoch)
    {
        await Task.Delay(WarmUp);
        return await Turns.TimeAsync(() => RepeatAsync(epoch));
    }

    private static async Task RepeatAsync(KernelWeightEpoch epoch)
    {
        for (var i = 0; i < Epochs; i++) await epoch.GrainsAsync();
    }

    /// <summary>
    /// Starting and ending the exporters, and the first that they send, do not count: a process does that once.
    /// </summary>
    private static async Task<double> WithTelemetryAsync(string endpoint, KernelWeightEpoch epoch)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "1000",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
        });
        builder.AddTelemetry();
        using var host = builder.Build();
        await host.StartAsync();
        await Task.Delay(WarmUp);
        var time = await Turns.TimeAsync(() => RepeatAsync(epoch));
        await host.StopAsync();
        return time;
    }
}
