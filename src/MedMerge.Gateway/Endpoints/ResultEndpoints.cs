using System.Net.Mime;
using System.Text;
using MedMerge.Gateway.Queries;
using MedMerge.Reporting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps/ID/results</c> and <c>/sweeps/ID/models</c>: the results of finished trials.</summary>
internal static class ResultEndpoints
{
    private const string DefaultFormat = "json";
    // A report holds names that others chose: it is shown as a document that runs and loads nothing.
    private const string PagePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
    private const string ParquetType = "application/vnd.apache.parquet";

    private static readonly IReadOnlyDictionary<string, string> MediaTypes = new Dictionary<string, string>
    {
        ["json"] = $"{MediaTypeNames.Application.Json}; charset=utf-8",
        ["csv"] = $"{MediaTypeNames.Text.Csv}; charset=utf-8",
        ["md"] = $"{MediaTypeNames.Text.Markdown}; charset=utf-8",
        ["html"] = $"{MediaTypeNames.Text.Html}; charset=utf-8",
        ["parquet"] = ParquetType,
    };

    public static void Map(RouteGroupBuilder sweep)
    {
        sweep.MapGet("/results", GetResultsAsync)
            .WithSummary(
                "Gets the comparison so far: of all scenarios together as json, md or html, with a row for each trial as csv or " +
                "parquet; or of one scenario as json, csv or md.")
            .Produces<string>(
                StatusCodes.Status200OK,
                MediaTypeNames.Application.Json,
                MediaTypeNames.Text.Csv,
                MediaTypeNames.Text.Markdown,
                MediaTypeNames.Text.Html,
                ParquetType)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        sweep.MapGet("/scenarios", ListScenariosAsync)
            .WithSummary("Lists the scenarios that have results so far, each with its folder among the models.")
            .Produces<List<ScenarioFolder>>();
        sweep.MapGet("/models", ListModelsAsync)
            .WithSummary("Lists the files exported so far: the models of every method with what is said about them, kernel weights, " +
                "certificates, and the sources.")
            .Produces<List<string>>();
        sweep.MapGet("/models/{**name}", GetModelAsync)
            .WithSummary("Downloads an exported file.")
            .Produces<byte[]>(StatusCodes.Status200OK, MediaTypeNames.Application.Octet)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> GetResultsAsync(
        string id,
        ResultQueries queries,
        HttpResponse response,
        CancellationToken cancellation,
        string format = DefaultFormat,
        string? scenario = null)
    {
        if (scenario is null)
        {
            if (OutputFiles.SweepResults.FirstOrDefault(known => known.Format == format) is not { } file)
                return RefuseFormat(format, OutputFiles.SweepResults.Select(known => known.Format));
            var sweep = await queries.GetSweepAsync(id, cancellation);
            if (format == "html") response.Headers.ContentSecurityPolicy = PagePolicy;
            return Send(await file.WriteAsync(sweep, cancellation), format, $"{id}.{format}");
        }
        if (OutputFiles.Results.FirstOrDefault(known => known.Format == format) is not { } ofScenario)
            return RefuseFormat(format, OutputFiles.Results.Select(known => known.Format));
        var result = await queries.GetScenarioAsync(id, scenario, cancellation);
        return Send(Encoding.UTF8.GetBytes(ofScenario.Write(result)), format, $"{id}, {scenario}.{format}");
    }

    /// <summary>A browser shows what has a page's format or JSON's, and saves the rest as a file.</summary>
    private static FileContentHttpResult Send(byte[] content, string format, string fileName) =>
        TypedResults.Bytes(content, MediaTypes[format], format is "html" or DefaultFormat ? null : fileName);

    private static IResult RefuseFormat(string format, IEnumerable<string> formats) => Problem(
        $"There is no format '{format}'; there are {string.Join(", ", formats)}.",
        StatusCodes.Status400BadRequest);

    private static async Task<IResult> ListScenariosAsync(string id, ResultQueries queries, CancellationToken cancellation) =>
        TypedResults.Ok(await queries.ListScenariosAsync(id, cancellation));

    private static async Task<IResult> ListModelsAsync(string id, ResultQueries queries, CancellationToken cancellation) =>
        TypedResults.Ok(await queries.ListFilesAsync(id, cancellation));

    private static async Task<IResult> GetModelAsync(
        string id,
        string name,
        ResultQueries queries,
        CancellationToken cancellation)
    {
        if (await queries.FindFileAsync(id, name, cancellation) is { } file)
            return TypedResults.Bytes(file, MediaTypeNames.Application.Octet, Path.GetFileName(name));
        return Problem($"'{id}' has no model '{name}'; /api/v1/sweeps/{id}/models lists them.", StatusCodes.Status404NotFound);
    }

    private static IResult Problem(string detail, int status) => TypedResults.Problem(detail, statusCode: status);
}
