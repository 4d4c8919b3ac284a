using System.Net.Mime;
using MedMerge.Gateway.Queries;
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
        var result = await queries.GetScenarioAsync(id, scenario, cancellation);
        var write = OutputFiles.Results.First(file => file.Format == format).Write;
        return TypedResults.Text(write(result), type);
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
        CancellationToken cancellation)
    {
        var models = await queries.ListModelsAsync(id, cancellation);
        if (models.FirstOrDefault(model => model.Name == name) is not { } found)
            return Problem($"'{id}' has no model '{name}'; /api/v1/sweeps/{id}/models lists them.", StatusCodes.Status404NotFound);
        return TypedResults.Bytes(await queries.ReadAsync(id, found, cancellation), MediaTypeNames.Application.Octet);
    }

    private static IResult Problem(string detail, int status) => TypedResults.Problem(detail, statusCode: status);
}
