using MedMerge.Storage;
using StackExchange.Redis;

namespace MedMerge.Silo;

/// <summary>What a node can't do without. It waits for them, for in a cluster everything starts at once, and says what it waits for.</summary>
internal static partial class Dependencies
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    /// <summary>The blob service of <c>ConnectionStrings__blobs</c>, or the folder <c>Store__Folder</c> where none is named.</summary>
    public static Task<IObjectStore> StoreAsync(IConfiguration configuration, ILogger logger) =>
        WaitForAsync("the store", logger, () => ObjectStores.OpenAsync(configuration["Store:Folder"] ?? ".medmerge", CancellationToken.None));

    /// <summary>The Redis of a connection string.</summary>
    public static Task<IConnectionMultiplexer> RedisAsync(string connection, ILogger logger) => WaitForAsync("Redis", logger, async () =>
    {
        var options = ConfigurationOptions.Parse(connection);
        options.AbortOnConnectFail = true;
        return (IConnectionMultiplexer)await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false);
    });

    private static async Task<T> WaitForAsync<T>(string what, ILogger logger, Func<Task<T>> open)
    {
        while (true)
        {
            try
            {
                return await open().ConfigureAwait(false);
            }
            catch (Exception error) when (error is InputException or RedisException)
            {
                LogWaiting(logger, what, error.Message, Pause.TotalSeconds);
                await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Waiting for {What}: {Reason} It is tried again in {Seconds} s.")]
    private static partial void LogWaiting(ILogger logger, string what, string reason, double seconds);
}
