using System.Net.Mime;
using MedMerge.Experiments.Results;
using MedMerge.Experiments.Stages;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;
using MedMerge.Reporting;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps/ID/results</c> and <c>/sweeps/ID/models</c>: the results of finished trials.</summary>
internal static class ResultEndpoints
{
    private const string DefaultFormat = "json";

    private static readonly IReadOnlyDictionary<string, string> MediaTypes = new Dictionary<string, string>
    {
        ["json"] = MediaTypeNames.Application.Json,
        ["csv"] = MediaTypeNames.Text.Csv,
        ["md"] = MediaTypeNames.Text.Markdown,
    };

    public static void Map(RouteGroupBuilder sweep)
    {
        sweep.MapGet("/results", GetResultsAsync)
            .WithSummary("Gets the comparison so far as json, csv or md. A sweep of several scenarios has one each: name the scenario.")
            .Produces<string>(
                StatusCodes.Status200OK,
                MediaTypeNames.Application.Json,
                MediaTypeNames.Text.Csv,
                MediaTypeNames.Text.Markdown)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        sweep.MapGet("/scenarios", ListScenariosAsync)
            .WithSummary("Lists the scenarios that have results so far, each with its folder among the models.")
            .Produces<List<ScenarioFolder>>();
        sweep.MapGet("/models", ListModelsAsync)
            .WithSummary("Lists the files exported so far: merged models with kernel weights and certificates, and the sources.")
            .Produces<List<string>>();
        sweep.MapGet("/models/{**name}", GetModelAsync)
            .WithSummary("Downloads an exported file.")
            .Produces<byte[]>(StatusCodes.Status200OK, MediaTypeNames.Application.Octet)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> GetResultsAsync(
        string id,
        ResultQueries queries,
        ClusterConnection cluster,
        CancellationToken cancellation,
        string format = DefaultFormat,
        string? scenario = null)
    {
        if (!MediaTypes.TryGetValue(format, out var type))
        {
            return Problem(
                $"There is no format '{format}'; there are {string.Join(", ", MediaTypes.Keys)}.",
                StatusCodes.Status400BadRequest);
        }
        return await WithRepairAsync(id, cluster, cancellation, async () =>
        {
            var result = await queries.GetResultsAsync(id, cancellation);
            if (result.Scenarios.Count == 0)
                return Problem($"No trial of '{id}' has a result yet.", StatusCodes.Status409Conflict);
            if (FindScenario(result, scenario) is not { } chosen)
            {
                var names = string.Join(", ", result.Scenarios.Select(found => $"'{found.Scenario.Name}'"));
                return Problem($"Name a scenario that has a result with ?scenario=: {names}.", StatusCodes.Status400BadRequest);
            }
            var write = OutputFiles.Results.First(file => file.Format == format).Write;
            return TypedResults.Text(write(chosen), type);
        });
    }

    private static ScenarioResult? FindScenario(SweepResult result, string? scenario)
    {
        if (scenario is null) return result.Plan.Scenarios.Count == 1 ? result.Scenarios[0] : null;
        return result.Scenarios.FirstOrDefault(found => found.Scenario.Name == scenario);
    }

    private static async Task<IResult> ListScenariosAsync(string id, ResultQueries queries, CancellationToken cancellation) =>
        TypedResults.Ok(await queries.ListScenariosAsync(id, cancellation));

    private static async Task<IResult> ListModelsAsync(string id, ResultQueries queries, CancellationToken cancellation)
    {
        var models = await queries.ListModelsAsync(id, cancellation);
        return TypedResults.Ok(models.Select(model => model.Name).ToList());
    }

    private static async Task<IResult> GetModelAsync(
        string id,
        string name,
        ResultQueries queries,
        ClusterConnection cluster,
        CancellationToken cancellation)
    {
        var models = await queries.ListModelsAsync(id, cancellation);
        if (models.FirstOrDefault(model => model.Name == name) is not { } found)
            return Problem($"'{id}' has no model '{name}'; /api/v1/sweeps/{id}/models lists them.", StatusCodes.Status404NotFound);
        return await WithRepairAsync(id, cluster, cancellation, async () =>
            TypedResults.Bytes(await queries.ReadAsync(found, cancellation), MediaTypeNames.Application.Octet));
    }

    /// <summary>
    /// Reads results; if an output is missing or damaged, has it recomputed and asks the client to retry later.
    /// </summary>
    private static async Task<IResult> WithRepairAsync(
        string id,
        ClusterConnection cluster,
        CancellationToken cancellation,
        Func<Task<IResult>> read)
    {
        try
        {
            return await read();
        }
        catch (MissingOutputException missing)
        {
            var status = await cluster.Sweep(id).RepairAsync(missing.Key).WaitAsync(cancellation);
            var follows = status.State == WorkState.Running
                ? "is being recomputed. Try again when the sweep has ended."
                : "will be recomputed once the sweep is resumed.";
            return Problem($"An output of '{id}' was lost or damaged and {follows}", StatusCodes.Status409Conflict);
        }
    }

    private static IResult Problem(string detail, int status) => TypedResults.Problem(detail, statusCode: status);
}
