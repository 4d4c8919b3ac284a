using System.Net.Mime;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps/ID/results</c> and <c>/sweeps/ID/models</c>: what the trials that have a result have given.</summary>
internal static class ResultEndpoints
{
    private static readonly IReadOnlyDictionary<string, string> Types = new Dictionary<string, string>
    {
        ["json"] = MediaTypeNames.Application.Json,
        ["csv"] = MediaTypeNames.Text.Csv,
        ["md"] = MediaTypeNames.Text.Markdown,
    };

    public static void Map(RouteGroupBuilder sweep)
    {
        sweep.MapGet("/results", ResultsAsync).WithSummary("The comparison so far; format is json, csv or md.").RequireRateLimiting(GatewayLimits.Plans)
            .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Application.Json, MediaTypeNames.Text.Csv, MediaTypeNames.Text.Markdown)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict);
        sweep.MapGet("/models", ModelsAsync).WithSummary("The names of the merged models so far, with their kernel weights and certificates, and of the sources.").RequireRateLimiting(GatewayLimits.Plans)
            .Produces<List<string>>();
        sweep.MapGet("/models/{**name}", ModelAsync).WithSummary("One of them.").RequireRateLimiting(GatewayLimits.Plans)
            .Produces<byte[]>(StatusCodes.Status200OK, MediaTypeNames.Application.Octet).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> ResultsAsync(string id, SweepStore sweeps, PlanCache plans, StageStore stages, ClusterConnection cluster, CancellationToken cancellation, string format = "json")
    {
        if (!Types.TryGetValue(format, out var type))
            return TypedResults.Problem($"There is no format '{format}'; there are {string.Join(", ", Types.Keys)}.", statusCode: StatusCodes.Status400BadRequest);
        var (plan, finished) = await FinishedAsync(id, sweeps, plans, cancellation).ConfigureAwait(false);
        if (finished.Count == 0) return TypedResults.Problem($"No trial of '{id}' has a result yet.", statusCode: StatusCodes.Status409Conflict);
        var write = OutputFiles.Results.First(file => file.Format == format).Write;
        return await OrRepairAsync(id, cluster, async () => TypedResults.Text(write(await ScenarioResult.ReadAsync(plan, finished, stages, cancellation).ConfigureAwait(false)), type), cancellation)
            .ConfigureAwait(false);
    }

    private static async Task<IResult> ModelsAsync(string id, SweepStore sweeps, PlanCache plans, CancellationToken cancellation)
    {
        var (plan, finished) = await FinishedAsync(id, sweeps, plans, cancellation).ConfigureAwait(false);
        return TypedResults.Ok(OutputFiles.Models(plan, finished).Select(model => model.Name).ToList());
    }

    private static async Task<IResult> ModelAsync(string id, string name, SweepStore sweeps, PlanCache plans, StageStore stages, ClusterConnection cluster, CancellationToken cancellation)
    {
        var (plan, finished) = await FinishedAsync(id, sweeps, plans, cancellation).ConfigureAwait(false);
        return OutputFiles.Models(plan, finished).FirstOrDefault(model => model.Name == name) is not { } found
            ? TypedResults.Problem($"'{id}' has no model '{name}'; /api/v1/sweeps/{id}/models lists them.", statusCode: StatusCodes.Status404NotFound)
            : await OrRepairAsync(id, cluster, async () => TypedResults.Bytes((await stages.GetAsync(found.Stage, cancellation).ConfigureAwait(false))[found.Artefact], MediaTypeNames.Application.Octet), cancellation)
                .ConfigureAwait(false);
    }

    private static async Task<(Plan Plan, IReadOnlyList<Trial> Finished)> FinishedAsync(string id, SweepStore sweeps, PlanCache plans, CancellationToken cancellation)
    {
        var (record, _) = (await sweeps.FindAsync(id, cancellation).ConfigureAwait(false))!.Value;
        var plan = await plans.GetAsync(record.Specification).WaitAsync(cancellation).ConfigureAwait(false);
        return (plan, [.. plan.Trials.Zip(record.Trials).Where(trial => trial.Second.State == nameof(WorkState.Done)).Select(trial => trial.First)]);
    }

    /// <summary>Reads; where an output is missing or damaged has it computed again.</summary>
    private static async Task<IResult> OrRepairAsync(string id, ClusterConnection cluster, Func<Task<IResult>> read, CancellationToken cancellation)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (MissingOutputException missing)
        {
            await cluster.Sweep(id).RepairAsync(missing.Stage.Key).WaitAsync(cancellation).ConfigureAwait(false);
            return TypedResults.Problem($"An output of '{id}' was lost or damaged; it is being computed again. Ask again once the sweep has ended.", statusCode: StatusCodes.Status409Conflict);
        }
    }
}
