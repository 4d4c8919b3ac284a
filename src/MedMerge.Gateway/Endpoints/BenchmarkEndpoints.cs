using MedMerge.Gateway.Access;
using MedMerge.Gateway.Queries;
using MedMerge.Storage.Benchmarks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/benchmarks</c>: the runs of schedules with their history.</summary>
internal static class BenchmarkEndpoints
{
    private const int DefaultRuns = 20;
    private const int MaxRuns = 1000;

    public static void Map(RouteGroupBuilder api)
    {
        var benchmarks = api.MapGroup("/benchmarks").WithTags("benchmarks");
        benchmarks.MapGet("", (BenchmarkQueries queries, CancellationToken cancellation) => queries.ListAsync(cancellation))
            .WithSummary("Lists all benchmarks.");

        var benchmark = benchmarks.MapGroup("/{name}").ProducesProblem(StatusCodes.Status404NotFound);
        benchmark.MapGet("", GetAsync)
            .WithSummary("Gets the last runs of a benchmark with scores, times and what was found, oldest first.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        benchmark.MapGet("/diff", DiffAsync)
            .WithSummary("Compares two runs; by default the last one with the last accepted one before it.")
            .RequireRateLimiting(GatewayLimits.Plans)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        benchmark.MapGet("/check", CheckAsync)
            .WithSummary("Says whether a run, by default the last one, has a regression that nobody has accepted.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        benchmark.MapPost("/accept", AcceptAsync)
            .RequireAuthorization(Roles.Operator)
            .WithSummary("Accepts a run, by default the last one: later runs are compared with it.");
    }

    private static async Task<Results<Ok<BenchmarkHistory>, ProblemHttpResult>> GetAsync(
        string name,
        BenchmarkQueries queries,
        CancellationToken cancellation,
        int runs = DefaultRuns)
    {
        if (runs is < 1 or > MaxRuns) throw new InputException($"runs is {runs}; it must be from 1 to {MaxRuns}.");
        return await queries.FindAsync(name, runs, cancellation) is { } found ? TypedResults.Ok(found) : CreateNotFound(name);
    }

    private static async Task<Results<Ok<BenchmarkDiff>, ProblemHttpResult>> DiffAsync(
        string name,
        string? from,
        string? to,
        BenchmarkQueries queries,
        CancellationToken cancellation) =>
        await queries.DiffAsync(name, from, to, cancellation) is { } diff
            ? TypedResults.Ok(diff)
            : CreateNotFound(name);

    private static async Task<Results<Ok<BenchmarkCheck>, ProblemHttpResult>> CheckAsync(
        string name,
        string? run,
        double? slower,
        BenchmarkQueries queries,
        CancellationToken cancellation)
    {
        if (slower is not (null or >= 0)) throw new InputException($"slower is {slower}; it must be 0 or more.");
        return await queries.CheckAsync(name, run, slower, cancellation) is { } check
            ? TypedResults.Ok(check)
            : CreateNotFound(name);
    }

    private static async Task<Results<Ok<BenchmarkCheck>, ProblemHttpResult>> AcceptAsync(
        string name,
        string? run,
        BenchmarkQueries queries,
        CancellationToken cancellation) =>
        await queries.AcceptAsync(name, run, cancellation) is { } check ? TypedResults.Ok(check) : CreateNotFound(name);

    private static ProblemHttpResult CreateNotFound(string name) => TypedResults.Problem(
        $"There is no such run of a benchmark '{name}'; a run is recorded within seconds of its end.",
        statusCode: StatusCodes.Status404NotFound);
}
