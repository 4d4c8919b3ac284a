using System.Net.Mime;
using MedMerge.Experiments;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Reporting;
using MedMerge.Storage;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps/ID/results</c>: the comparison over the trials that have a result.</summary>
internal static class ResultEndpoints
{
    private static readonly IReadOnlyDictionary<string, (string Type, Func<RunResult, string> Write)> Formats = new Dictionary<string, (string, Func<RunResult, string>)>
    {
        ["json"] = (MediaTypeNames.Application.Json, ResultFiles.ToJson),
        ["csv"] = (MediaTypeNames.Text.Csv, ResultFiles.ToCsv),
        ["md"] = (MediaTypeNames.Text.Markdown, ComparisonTable.Render),
    };

    public static void Map(RouteGroupBuilder sweep) =>
        sweep.MapGet("/results", ReadAsync).WithSummary("The comparison so far; format is json, csv or md.").RequireRateLimiting(Limits.Plans)
            .Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Application.Json, MediaTypeNames.Text.Csv, MediaTypeNames.Text.Markdown)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict);

    private static async Task<IResult> ReadAsync(string id, SweepStore sweeps, Plans plans, StageStore stages, ClusterConnection cluster, CancellationToken cancellation, string format = "json")
    {
        if (!Formats.TryGetValue(format, out var chosen))
            return TypedResults.Problem($"There is no format '{format}'; there are {string.Join(", ", Formats.Keys)}.", statusCode: StatusCodes.Status400BadRequest);
        var (record, _) = (await sweeps.FindAsync(id, cancellation).ConfigureAwait(false))!.Value;
        var done = record.Trials.Select((trial, i) => (trial.State, Number: i + 1)).Where(trial => trial.State == nameof(WorkState.Done)).Select(trial => trial.Number).ToHashSet();
        if (done.Count == 0) return TypedResults.Problem($"No trial of '{id}' has a result yet.", statusCode: StatusCodes.Status409Conflict);

        var plan = await plans.GetAsync(record.Specification).WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var result = await RunResult.ReadAsync(plan, plan.Trials.Where(trial => done.Contains(trial.Number)), stages, cancellation).ConfigureAwait(false);
            return TypedResults.Text(chosen.Write(result), chosen.Type);
        }
        catch (MissingOutputException missing)
        {
            await cluster.Sweep(id).RepairAsync(missing.Stage.Key).WaitAsync(cancellation).ConfigureAwait(false);
            return TypedResults.Problem($"An output of '{id}' was lost or damaged; it is being computed again. Ask again once the sweep has ended.", statusCode: StatusCodes.Status409Conflict);
        }
    }
}
