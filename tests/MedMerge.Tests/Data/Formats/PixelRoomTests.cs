using MedMerge.Data.Formats.Images;

namespace MedMerge.Tests.Data.Formats;

/// <summary>Large images are decoded one after the other, however many threads there are.</summary>
public class PixelRoomTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_largest_image_has_the_room_for_itself()
    {
        using var large = await TakeAsync(8000, 4000);
        large.Take(8000, 4000, "the large one"); // by another decoder, where the first one gives up

        var small = TakeAsync(8, 8);
        Assert.NotSame(small, await Task.WhenAny(small, Task.Delay(TimeSpan.FromSeconds(0.2), Cancellation)));

        large.Dispose();
        large.Dispose(); // gives nothing back twice
        (await small).Dispose();
    }

    /// <summary>A large one that waits is not passed by small ones for ever.</summary>
    [Fact]
    public async Task Room_is_taken_in_the_order_of_coming()
    {
        var first = await TakeAsync(8000, 1);
        var large = TakeAsync(8000, 4000);
        await Task.WhenAny(large, Task.Delay(TimeSpan.FromSeconds(0.2), Cancellation)); // it has come by now
        var last = TakeAsync(8, 8);
        Assert.NotSame(last, await Task.WhenAny(last, Task.Delay(TimeSpan.FromSeconds(0.2), Cancellation)));

        first.Dispose();
        (await large).Dispose();
        (await last).Dispose();
    }

    [Fact]
    public async Task What_is_refused_takes_no_room()
    {
        using var room = new PixelRoom();
        Assert.Throws<InputException>(() => room.Take(8000, 4001, "'x'"));
        Assert.Throws<InputException>(() => room.Take(0, 5, "'x'"));

        (await TakeAsync(8000, 4000)).Dispose();
    }

    private static Task<PixelRoom> TakeAsync(int width, int height) => Task.Run(
        () =>
        {
            var room = new PixelRoom();
            room.Take(width, height, "an image");
            return room;
        },
        Cancellation).WaitAsync(Deadline, Cancellation);
}
